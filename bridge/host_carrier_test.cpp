#include "bridge/host_carrier.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <chrono>
#include <deque>
#include <optional>

#include "bridge/stream_side.h"
#include "common/fd.h"
#include "usbredir/test_support.h"

using namespace usbloop;
using namespace usbloop::bridge;
using usbredir::HostState;
using Cause = CarrierEnd::Cause;
using namespace std::chrono_literals;

namespace {

/// A host end that does as the test says, and counts.
struct CountingHost final : usbredir::HostEnd {
  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return description; }
  void set_wake(std::function<void()> call) override { wake = std::move(call); }
  [[nodiscard]] bool wants_input() const override { return output.size() < high_water; }
  Result<std::size_t> receive(std::span<const std::byte> bytes) override {
    std::size_t taken = 0;
    for (const std::byte byte : bytes) {
      if (!wants_input()) break;
      ++taken;
      ++received;
      if (byte == std::byte{'?'}) output.insert(output.end(), answer, std::byte{'a'});
      if (byte == std::byte{'r'}) current = HostState::rejected;
      if (byte == std::byte{'!'}) {
        current = HostState::failed;
        return make_error(ErrorKind::protocol, "read", "", "told to fail");
      }
    }
    return taken;
  }
  [[nodiscard]] std::span<const std::byte> pending() const override { return output; }
  void consume(std::size_t count) override {
    output.erase(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(count));
  }
  [[nodiscard]] HostState state() const override { return current; }
  [[nodiscard]] Result<> outcome() const override {
    if (current == HostState::disconnected) return {};
    return make_error(ErrorKind::denied, "redirect", "it", "scripted");
  }
  void disconnect() override {
    if (is_final(current)) return;
    current = HostState::disconnected;
    for (const char c : {'b', 'y', 'e'}) output.push_back(static_cast<std::byte>(c));
  }

  usbredir::DeviceDescription description;
  std::function<void()> wake;
  std::vector<std::byte> output;
  std::size_t high_water = 1000;
  std::size_t answer = 10;
  std::size_t received = 0;
  HostState current = HostState::waiting;
};

/// A carrier on one end of a socket pair. The test is the peer at the other end, which blocks.
struct CarrierRoad {
  CarrierRoad() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    peer.reset(ends[1]);
    const int small = 4096;
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    timeval patience{5, 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    asio::local::stream_protocol::socket socket(loop, asio::local::stream_protocol(), ends[0]);
    stream = net::make_plain_stream(net::Stream::Socket(std::move(socket)));
    side.emplace(*stream);
    carrier.emplace(loop.get_executor(), host, *side, CarrierOptions{.on_announced = [this] { ++announced; }});
    asio::co_spawn(loop, carrier->run(), [this](const std::exception_ptr& thrown, CarrierEnd end) {
      if (!thrown) result = std::move(end);
    });
  }

  void turn() {
    loop.restart();
    loop.poll();
  }
  void finish() {
    loop.restart();
    loop.run_for(5s);
    REQUIRE(result);
  }
  void send(const std::string& text) {
    REQUIRE(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  std::string receive(std::size_t at_most) {
    std::string text(at_most, 0);
    const ssize_t got = ::recv(peer.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

  asio::io_context loop;
  Fd peer;
  CountingHost host;
  net::StreamPtr stream;
  std::optional<StreamSide> side;
  std::optional<HostCarrier> carrier;
  std::optional<CarrierEnd> result;
  int announced = 0;
};

}  // namespace

TEST_CASE("a carrier: bytes go both ways") {
  CarrierRoad road;
  road.host.output = usbredir::test::bytes_of("hello");
  road.turn();
  CHECK(road.receive(100) == "hello");
  road.send("x?");
  road.turn();
  CHECK(road.host.received == 2);
  CHECK(road.receive(100) == std::string(10, 'a'));
}

TEST_CASE("a wake-up from outside sends what has become ready") {
  CarrierRoad road;
  road.turn();
  road.host.output = usbredir::test::bytes_of("late");
  road.host.wake();
  road.turn();
  CHECK(road.receive(100) == "late");
}

TEST_CASE("a peer that reads nothing stops the input, and all goes on when it reads again") {
  CarrierRoad road;
  road.host.answer = 100000;
  road.turn();
  road.send("????");
  road.turn();
  CHECK(road.host.received == 1);
  std::size_t got = 0;
  for (int i = 0; i < 2000 && got < 400000; ++i) {
    got += road.receive(100000).size();
    road.turn();
  }
  CHECK(got == 400000);
  CHECK(road.host.received == 4);
}

TEST_CASE("stop says good-bye, waits for the peer's end and is a success") {
  CarrierRoad road;
  road.turn();
  road.carrier->stop();
  road.turn();
  CHECK(road.receive(100) == "bye");
  CHECK_FALSE(road.result);
  ::shutdown(road.peer.get(), SHUT_WR);
  road.finish();
  CHECK(road.result->cause == Cause::stopped);
}

TEST_CASE("stop does not wait for ever for a peer that does not answer") {
  CarrierRoad road;
  road.turn();
  road.carrier->stop();
  const auto before = std::chrono::steady_clock::now();
  road.finish();
  CHECK(std::chrono::steady_clock::now() - before < 15s);
  CHECK(road.result->cause == Cause::stopped);
}

TEST_CASE("stop gets through to a peer that reads nothing until then") {
  CarrierRoad road;
  road.host.answer = 50000;
  road.turn();
  road.send("?");
  road.turn();
  road.carrier->stop();
  std::string all;
  for (int i = 0; i < 500 && all.size() < 50003; ++i) {
    all += road.receive(10000);
    road.turn();
  }
  CHECK(all.size() == 50003);
  CHECK(all.substr(all.size() - 3) == "bye");
}

TEST_CASE("the peer's end is a failure, and the device is let go") {
  CarrierRoad road;
  road.turn();
  road.peer.reset();
  road.finish();
  CHECK(road.result->cause == Cause::peer_ended);
  CHECK(road.host.current == HostState::disconnected);
}

TEST_CASE("a rejected device and a broken protocol end the connection with the host end's reason") {
  for (const char* text : {"r", "!"}) {
    CarrierRoad road;
    road.turn();
    road.send(text);
    ::shutdown(road.peer.get(), SHUT_WR);
    road.finish();
    CHECK(road.result->cause == Cause::device);
    REQUIRE(road.result->error);
    CHECK(road.result->error->cause == "scripted");
  }
}

TEST_CASE("a change of state from outside ends the connection") {
  CarrierRoad road;
  road.turn();
  road.host.current = HostState::device_gone;
  road.host.wake();
  ::shutdown(road.peer.get(), SHUT_WR);
  road.finish();
  CHECK(road.result->cause == Cause::device);
}
