#include "kube-sim/http/busy_poll.h"

#include <algorithm>
#include <exception>
#include <thread>

#include "common/log.h"
#include "kube-sim/http/run_queue.h"

namespace usbloop::apiserver {
namespace {

using Clock = std::chrono::steady_clock;

/// Whether an event came before `end`; it has been handled then. Each look offers this processor to a thread that waits
/// for one. Looking stops when several wait: then no processor has halted, so waking up is cheap, and looking would
/// hold up the very threads that the event is to come from.
bool look_until(asio::io_context& loop, Clock::time_point end, const RunQueue& queue) {
  while (Clock::now() < end && !queue.is_crowded()) {
    std::this_thread::yield();
    if (loop.poll() > 0) return true;
  }
  return false;
}

}  // namespace

void PollWindow::slept(Duration time) {
  constexpr Duration kFirst = std::chrono::microseconds(20);
  length_ = time < most_ ? std::min(most_, std::max(kFirst, 2 * length_)) : Duration(0);
}

void run_polling(asio::io_context& loop, std::chrono::microseconds most, const std::function<bool()>& wanted) {
  PollWindow window(most);
  const RunQueue queue;
  const auto step = [&] {
    if (most.count() == 0 || !wanted()) {
      loop.run_one();
      return;
    }
    if (loop.poll() > 0 || loop.stopped()) return;
    const auto begin = Clock::now();
    if (look_until(loop, begin + window.length(), queue)) return;
    loop.run_one();
    window.slept(Clock::now() - begin);
  };
  while (!loop.stopped()) {
    try {
      step();
    } catch (const std::exception& error) {
      spdlog::error("an event was given up: {}", error.what());  // there was no memory for it
    }
  }
}

}  // namespace usbloop::apiserver
