#include "common/process_watch.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "common/small_file.h"

namespace usbloop {

Result<Fd> open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (fd) return fd;
  const int number = errno == ESRCH ? ENOENT : errno;
  return make_errno_error("watch", "process " + std::to_string(pid), number);
}

bool wait_pidfd(int pidfd, std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd entry{pidfd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (Clock::now() >= until) return false;
  }
}

Result<std::uint64_t> process_start_time(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const auto read = read_small_file(path);
  if (!read) return tl::unexpected(read.error());
  const std::string& text = *read;
  // Field 2 is the program's name in parentheses and may hold anything; field 22 is the start time.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return make_error(ErrorKind::not_found, "read", path, "no such process");
  std::string_view rest = std::string_view(text).substr(name_end + 1);
  for (int field = 2; field < 22; ++field) {
    const auto space = rest.find(' ');
    if (space == std::string_view::npos) return make_error(ErrorKind::internal, "read", path, "too few fields");
    rest.remove_prefix(space + 1);
  }
  std::uint64_t ticks = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), ticks).ec != std::errc{}) {
    return make_error(ErrorKind::internal, "read", path, "field 22 is no number");
  }
  return ticks;
}

}  // namespace usbloop
