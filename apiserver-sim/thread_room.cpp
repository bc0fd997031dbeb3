#include "apiserver-sim/thread_room.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace usbloop::apiserver {

namespace {

/// What the threads' work takes besides their stacks, until the first requests have been answered: less, and the memory
/// would run out on the way to "ready", where nobody could be told.
constexpr std::size_t kWorkRoom = std::size_t{128} << 20;  // bytes of address space

/// Empty: there is as much.
std::string why_no_room() {
  void* const room = ::mmap(nullptr, kWorkRoom, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return std::strerror(errno);
  ::munmap(room, kWorkRoom);
  return {};
}

}  // namespace

Result<> check_thread_room(std::size_t count) {
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  std::vector<std::thread> threads;
  threads.reserve(count);
  std::string cause;
  try {
    while (threads.size() < count) threads.emplace_back([ended] { ended.wait(); });
    cause = why_no_room();
  } catch (const std::exception& error) {
    cause = error.what();
  }
  end.set_value();
  for (std::thread& thread : threads) thread.join();
  if (cause.empty()) return {};
  return make_error(ErrorKind::internal, "start", std::to_string(count) + " threads", cause,
                    "Raise the limits of this process (ulimit -u, ulimit -v, or those of its container).");
}

}  // namespace usbloop::apiserver
