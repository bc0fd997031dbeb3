#include "launcher-sim/log_keeper.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "common/fd.h"
#include "common/log.h"
#include "common/stop_wait.h"
#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {

namespace {

/// A guest under TCG writes some 200 KB in this time.
constexpr std::chrono::seconds kInterval{2};

/// The file's bytes from `offset` on, up to `size`; fewer at its end. Errors: errno.
Result<std::string> read_at(const Fd& file, const std::string& path, std::size_t size, std::size_t offset) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto got = ::pread(file.get(), bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_errno_error("read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

Result<> write_at_begin(const Fd& file, const std::string& path, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const auto put = ::pwrite(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return make_errno_error("write", path);
    done += static_cast<std::size_t>(put);
  }
  return {};
}

}  // namespace

Result<> shorten_log(const std::string& path, const LogLimit& limit) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return errno == ENOENT ? Result<>{} : make_errno_error("open", path);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return make_errno_error("look at", path);
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size <= limit.most) return {};
  auto tail = read_at(file, path, limit.kept, size - limit.kept);
  if (!tail) return tl::unexpected(tail.error());
  const auto line_end = tail->find('\n');
  if (line_end != std::string::npos) tail->erase(0, line_end + 1);
  const std::string text = "[launcher-sim: the log was too long; what stood before is gone]\n" + *tail;
  if (auto written = write_at_begin(file, path, text); !written) return written;
  if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0) return make_errno_error("shorten", path);
  return {};
}

void keep_logs_short(const RunDir& run_dir, const std::stop_token& stop) {
  while (wait_unless_stopped(stop, kInterval)) {
    for (const std::string& uid : run_dir.guests()) {
      for (const char* name : {kSerialLog, kQemuLog}) {
        const auto kept = shorten_log(run_dir.guest_directory(uid) + "/" + name, {});
        if (!kept) spdlog::warn("{}", kept.error().message());
      }
    }
  }
}

}  // namespace usbloop::launcher
