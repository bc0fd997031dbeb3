#include "launcher-sim/run_dir.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>

#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {

namespace fs = std::filesystem;

Result<RunDir> RunDir::open(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return make_error(ErrorKind::internal, "make", path, code.message());
  const fs::path absolute = fs::canonical(path, code);
  if (code) return make_error(ErrorKind::internal, "open", path, code.message());
  // Anybody who can open the sockets in here controls the guests.
  fs::permissions(absolute, fs::perms::owner_all, code);
  const std::string lock_path = absolute / "lock";
  Fd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return make_errno_error("open", lock_path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return make_errno_error("lock", lock_path);
    return make_error(ErrorKind::conflict, "use the run directory", absolute, "another launcher-sim has it",
                      "Give each node a --run-dir of its own.");
  }
  return RunDir(absolute, std::move(lock));
}

std::vector<std::string> RunDir::guests() const {
  std::vector<std::string> result;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(path_, code)) {
    const std::string name = entry.path().filename();
    if (is_uuid(name) && entry.is_directory(code) && !entry.is_symlink(code)) result.push_back(name);
  }
  return result;
}

}  // namespace usbloop::launcher
