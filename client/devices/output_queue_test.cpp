#include "client/devices/output_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace usbloop::client;

namespace {

/// A queue whose packets are counted when they are released.
struct Counted {
  int released = 0;
  OutputQueue queue;

  explicit Counted(std::size_t limit)
      : queue(limit, [this](std::uint8_t* data) {
          ++released;
          delete[] data;
        }) {}

  bool push(std::size_t size, std::uint8_t value) {
    auto* data = new std::uint8_t[size];
    std::fill_n(data, size, value);
    if (queue.push(data, size)) return true;
    delete[] data;
    return false;
  }
};

}  // namespace

TEST_CASE("packets come out in order and are released when they are through") {
  Counted counted(100);
  REQUIRE(counted.push(3, 1));
  REQUIRE(counted.push(2, 2));
  CHECK(counted.queue.bytes() == 5);
  CHECK(counted.queue.front().size() == 3);
  counted.queue.consume(2);
  CHECK(counted.queue.front().size() == 1);
  CHECK(counted.released == 0);
  counted.queue.consume(1);
  CHECK(counted.released == 1);
  CHECK(counted.queue.front()[0] == std::byte{2});
  counted.queue.consume(2);
  CHECK(counted.queue.front().empty());
  CHECK(counted.released == 2);
}

TEST_CASE("a full queue leaves the packet to its owner") {
  Counted counted(10);
  CHECK(counted.push(9, 1));
  CHECK(counted.push(1000, 2));  // packets come whole: the last one may go over
  CHECK(counted.queue.full());
  CHECK_FALSE(counted.push(1, 3));
  counted.queue.consume(9);
  CHECK_FALSE(counted.push(1, 3));
  counted.queue.consume(1000);
  CHECK(counted.push(1, 3));
}

TEST_CASE("what is left is released with the queue") {
  int released = 0;
  {
    OutputQueue queue(10, [&](std::uint8_t* data) {
      ++released;
      delete[] data;
    });
    REQUIRE(queue.push(new std::uint8_t[4], 4));
  }
  CHECK(released == 1);
}

TEST_CASE("one thread fills while another empties") {
  Counted counted(4096);
  constexpr int kPackets = 20'000;
  std::thread filler([&] {
    for (int number = 0; number < kPackets;) {
      if (counted.push(16, static_cast<std::uint8_t>(number))) ++number;
    }
  });
  bool in_order = true;
  for (int number = 0; number < kPackets;) {
    const auto front = counted.queue.front();
    if (front.empty()) continue;
    in_order = in_order && front[0] == static_cast<std::byte>(number);
    counted.queue.consume(front.size());
    ++number;
  }
  filler.join();
  CHECK(in_order);
  CHECK(counted.released == kPackets);
}
