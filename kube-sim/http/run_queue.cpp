#include "kube-sim/http/run_queue.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace usbloop::apiserver {

RunQueue::RunQueue()
    : file_(::open("/proc/loadavg", O_RDONLY | O_CLOEXEC)),
      processors_(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN))) {}

int RunQueue::runnable() const {
  std::array<char, 128> buffer;
  const auto size = ::pread(file_.get(), buffer.data(), buffer.size(), 0);
  if (size <= 0) return 0;
  // "0.20 0.18 0.12 1/80 11206": what stands before the slash.
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  const auto slash = text.find('/');
  if (slash == text.npos) return 0;
  const std::string_view before = text.substr(0, slash);
  const std::string_view number = before.substr(before.rfind(' ') + 1);
  int value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value;
}

}  // namespace usbloop::apiserver
