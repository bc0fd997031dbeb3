#include "kube-sim/http/run_queue.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <latch>
#include <thread>
#include <vector>

using usbloop::apiserver::RunQueue;

TEST_CASE("the run queue counts the threads that run and those that wait for a processor") {
  const RunQueue queue;
  CHECK(queue.runnable() >= 1);                             // this one
  const auto others = ::sysconf(_SC_NPROCESSORS_ONLN) + 1;  // two more threads than processors
  std::latch started(others + 1);
  std::vector<std::jthread> busy;
  for (long i = 0; i < others; ++i) {
    busy.emplace_back([&started](const std::stop_token& stop) {
      started.count_down();
      while (!stop.stop_requested()) {
      }
    });
  }
  started.arrive_and_wait();
  CHECK(queue.runnable() >= others + 1);
  CHECK(queue.waiting() >= 1);
}
