#include "kube-sim/http/busy_poll.h"

#include <algorithm>
#include <exception>
#include <thread>

#include "common/log.h"
#include "common/net/stream.h"
#include "kube-sim/http/run_queue.h"

namespace usbloop::apiserver {
namespace {

using Clock = std::chrono::steady_clock;

/// Whether an event came before `end`; it has been handled then. Each look offers this processor to a thread that waits
/// for one. Looking stops when several wait: then no processor has halted, so waking up is cheap, and looking would
/// hold up the very threads that the event is to come from. One is enough when a guest has to read first what it was
/// sent: it is likely the guest that waits, behind a thread to which this processor's offer does not go.
bool look_until(asio::io_context& loop, Clock::time_point end, const RunQueue& queue) {
  const int most_waiting = net::writers_waiting() > 0 ? 0 : 1;
  while (Clock::now() < end && queue.waiting() <= most_waiting) {
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
