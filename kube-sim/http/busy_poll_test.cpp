#include "kube-sim/http/busy_poll.h"

#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <thread>

using namespace usbloop::apiserver;
using namespace std::chrono_literals;

TEST_CASE("a poll window grows while events come soon, has an upper bound, and is over when one did not") {
  PollWindow window(100us);
  CHECK(window.length() == 0us);  // who is alone with one message does not poll
  for (const auto expected : {20us, 40us, 80us, 100us, 100us}) {
    window.slept(99us);
    CHECK(window.length() == expected);
  }
  window.slept(100us);
  CHECK(window.length() == 0us);
  PollWindow never(0us);
  never.slept(1us);
  CHECK(never.length() == 0us);
}

TEST_CASE("a polling loop runs what is posted and its timers, and ends when its work does") {
  for (const auto most : {0us, 1'000us}) {
    for (const bool wanted : {true, false}) {
      asio::io_context loop(1);
      auto work = asio::make_work_guard(loop);
      int done = 0;
      std::jthread runner([&] { run_polling(loop, most, [&] { return wanted; }); });
      for (int i = 0; i < 100; ++i) asio::post(loop, [&] { ++done; });
      asio::steady_timer timer(loop, 3ms);
      timer.async_wait([&](asio::error_code) {
        ++done;
        work.reset();
      });
      runner.join();
      CHECK(done == 101);
    }
  }
}
