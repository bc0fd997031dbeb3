#include "apiserver-sim/thread_room.h"

#include <exception>
#include <future>
#include <thread>
#include <vector>

namespace usbloop::apiserver {

Result<> check_thread_room(std::size_t count) {
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  std::vector<std::thread> threads;
  threads.reserve(count);
  std::string cause;
  try {
    while (threads.size() < count) threads.emplace_back([ended] { ended.wait(); });
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
