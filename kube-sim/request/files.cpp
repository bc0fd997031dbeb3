#include "kube-sim/request/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/fd.h"
#include "common/small_file.h"

namespace usbloop::apiserver {
namespace {

Result<> write_all(const Fd& fd, const std::string& content, const std::string& path) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::write(fd.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return make_errno_error("write", path);
    done += static_cast<std::size_t>(count);
  }
  if (::fsync(fd.get()) != 0) return make_errno_error("write", path);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  constexpr std::size_t kLimit = 1024 * 1024;
  return read_small_file(path, kLimit);
}

Result<> write_file(const std::string& path, const std::string& content, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return make_errno_error("write", path);
  auto written = write_all(fd, content, path);
  if (written && ::fchmod(fd.get(), mode) != 0) written = make_errno_error("write", path);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = make_errno_error("write", path);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<> make_directories(const std::string& path) {
  const std::filesystem::path directory(path);
  std::filesystem::path so_far;
  for (const auto& part : directory) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), 0700) != 0 && errno != EEXIST) return make_errno_error("create the directory", path);
  }
  std::error_code code;
  if (!std::filesystem::is_directory(directory, code)) {
    return make_error(ErrorKind::invalid, "create the directory", path, "a file of that name exists");
  }
  return {};
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace usbloop::apiserver
