#include "common/net/stream.h"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>

#include "common/net/test_support.h"

using namespace usbloop::net;
using namespace usbloop::net::test;

TEST_CASE(
    "a stream whose peer has to read first is a waiting writer until it has, and one that waits for bytes is none") {
  asio::io_context loop;
  auto [near_end, far_end] = stream_pair(loop);
  const auto bytes = random_bytes(8'000'000);  // more than a unix socket takes
  bool written = false;
  asio::co_spawn(loop, near_end->write_all(bytes), [&, near = near_end.get()](std::exception_ptr, const auto& result) {
    written = result.has_value();
    near->shutdown_write();
  });
  loop.poll();
  REQUIRE(!written);
  CHECK(writers_waiting() == 1);
  CHECK(run(loop, read_to_end(*far_end)) == bytes);
  CHECK(written);
  asio::co_spawn(loop, near_end->wait(IoStatus::want_read), [](std::exception_ptr, const auto&) {});
  loop.restart();
  loop.poll();
  CHECK(writers_waiting() == 0);
}
