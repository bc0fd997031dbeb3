#include "common/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "common/fd.h"

namespace usbloop {
namespace {

/// A file of /proc whose process has been reaped, and one of /sys whose device has been unplugged, are gone; the
/// opening may say so as well as the reading.
tl::unexpected<Error> read_error(const std::string& name, int number) {
  if (number == ESRCH || number == ENODEV) return make_error(ErrorKind::not_found, "read", name, "it is gone");
  return make_errno_error("read", name, number);
}

std::string limit_text(std::size_t limit) {
  constexpr std::size_t kMib = 1024 * 1024;
  return limit % kMib == 0 ? std::to_string(limit / kMib) + " MiB" : std::to_string(limit) + " bytes";
}

}  // namespace

Result<std::string> read_small_file(const std::string& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return read_error(path, errno);
  return read_small_file(fd.get(), path, limit);
}

Result<std::string> read_small_file(int fd, const std::string& name, std::size_t limit) {
  std::string content;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) return content;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return read_error(name, errno);
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > limit) return make_error(ErrorKind::invalid, "read", name, "larger than " + limit_text(limit));
  }
}

}  // namespace usbloop
