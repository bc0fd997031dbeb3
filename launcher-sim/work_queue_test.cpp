#include "launcher-sim/work_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

using usbloop::launcher::WorkQueue;
using namespace std::chrono_literals;

TEST_CASE("a key that is added twice is there once") {
  WorkQueue queue;
  queue.add("a");
  queue.add("a");
  queue.add("b");
  const std::stop_source stop;
  CHECK(*queue.take(stop.get_token()) == "a");
  CHECK(*queue.take(stop.get_token()) == "b");
  queue.done("a");
  queue.done("b");
  queue.add_after("c", 0ms);
  CHECK(*queue.take(stop.get_token()) == "c");
}

TEST_CASE("a key that is added while it is worked on comes again afterwards") {
  WorkQueue queue;
  const std::stop_source stop;
  queue.add("a");
  CHECK(*queue.take(stop.get_token()) == "a");
  queue.add("a");
  queue.add("b");
  CHECK(*queue.take(stop.get_token()) == "b");
  queue.done("a");
  CHECK(*queue.take(stop.get_token()) == "a");
}

TEST_CASE("the earliest of several delays counts, and an earlier key does not wait for a later one") {
  WorkQueue queue;
  const std::stop_source stop;
  const auto began = WorkQueue::Clock::now();
  queue.add_after("late", 60s);
  queue.add_after("a", 60s);
  queue.add_after("a", 10ms);
  queue.add_after("a", 60s);
  CHECK(*queue.take(stop.get_token()) == "a");
  CHECK(WorkQueue::Clock::now() - began >= 10ms);
  CHECK(WorkQueue::Clock::now() - began < 30s);
  // A taker that already waits for the late one hears of an earlier one.
  std::jthread adder([&queue] { queue.add_after("b", 1ms); });
  CHECK(*queue.take(stop.get_token()) == "b");
}

TEST_CASE("a taker is woken by stop") {
  WorkQueue queue;
  std::stop_source stop;
  std::jthread stopper([&stop] { stop.request_stop(); });
  CHECK_FALSE(queue.take(stop.get_token()));
}

TEST_CASE("no key is worked on by two threads at a time and none is lost") {
  WorkQueue queue;
  constexpr int kKeys = 5;
  constexpr int kRounds = 200;
  std::array<std::atomic<int>, kKeys> inside{};
  std::array<std::atomic<int>, kKeys> last_seen{};
  std::array<std::atomic<int>, kKeys> written{};
  std::atomic<bool> overlap = false;
  std::stop_source stop;
  std::vector<std::jthread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (const auto key = queue.take(stop.get_token())) {
        const auto index = static_cast<std::size_t>(std::stoi(*key));
        if (inside[index].fetch_add(1) != 0) overlap = true;
        last_seen[index] = written[index].load();
        inside[index].fetch_sub(1);
        queue.done(*key);
      }
    });
  }
  for (int round = 1; round <= kRounds; ++round) {
    for (std::size_t index = 0; index < kKeys; ++index) {
      written[index] = round;
      queue.add(std::to_string(index));
    }
  }
  const auto until = WorkQueue::Clock::now() + 20s;
  const auto all_seen = [&] {
    return std::all_of(last_seen.begin(), last_seen.end(), [](const auto& seen) { return seen == kRounds; });
  };
  while (!all_seen() && WorkQueue::Clock::now() < until) std::this_thread::yield();
  stop.request_stop();
  workers.clear();
  CHECK(all_seen());
  CHECK_FALSE(overlap);
}
