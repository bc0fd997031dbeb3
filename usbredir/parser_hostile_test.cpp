#include <doctest/doctest.h>

#include <random>

#include "usbredir/parser.h"
#include "usbredir/test_support.h"

using namespace usbloop;
using namespace usbloop::usbredir;
using test::drain;

namespace {

struct Counter : PacketHandler {
  int packets = 0;
  void on_reset() override { ++packets; }
  void on_set_configuration(std::uint64_t, const usb_redir_set_configuration_header&) override { ++packets; }
  void on_control(std::uint64_t, const usb_redir_control_packet_header&, Payload) override { ++packets; }
  void on_bulk(std::uint64_t, const usb_redir_bulk_packet_header&, Payload) override { ++packets; }
};

/// What a guest sends at an attach, hello first.
std::vector<std::byte> guest_stream() {
  PacketHandler nobody;
  ParserOptions options;
  options.side = Side::usb_guest;
  Parser guest(options, nobody);
  Parser host({}, nobody);
  REQUIRE(guest.feed(drain(host)));
  guest.send_reset();
  guest.send(1, usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0100, 0, 64});
  guest.send(2, usb_redir_set_configuration_header{1});
  const std::vector<std::byte> wrapper(31, std::byte{'U'});
  guest.send(3, usb_redir_bulk_packet_header{0x02, 0, 31, 0, 0}, wrapper);
  guest.send(4, usb_redir_bulk_packet_header{0x81, 0, 13, 0, 0});
  return drain(guest);
}

constexpr int kPacketsInStream = 5;

}  // namespace

TEST_CASE("a stream cut at every byte gives the same packets as in one piece") {
  const auto stream = guest_stream();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Counter counter;
    Parser host({}, counter);
    REQUIRE(host.feed(std::span(stream).first(cut)));
    REQUIRE(host.feed(std::span(stream).subspan(cut)));
    CHECK(counter.packets == kPacketsInStream);
  }
  Counter counter;
  Parser host({}, counter);
  for (const std::byte& byte : stream) REQUIRE(host.feed({&byte, 1}).value() == 1);
  CHECK(counter.packets == kPacketsInStream);
}

TEST_CASE("a stream that ends at any byte leaves nothing behind") {
  // The leak checker of the address sanitizer is the judge.
  const auto stream = guest_stream();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Counter counter;
    Parser host({}, counter);
    REQUIRE(host.feed(std::span(stream).first(cut)));
    CHECK(counter.packets <= kPacketsInStream);
  }
}

TEST_CASE("every single byte of a stream may be wrong") {
  const auto stream = guest_stream();
  int refused = 0;
  for (std::size_t at = 0; at < stream.size(); ++at) {
    for (const auto flip : {std::byte{0x01}, std::byte{0x80}, std::byte{0xff}}) {
      auto damaged = stream;
      damaged[at] ^= flip;
      Counter counter;
      Parser host({}, counter);
      const auto result = host.feed(damaged);
      if (!result) {
        ++refused;
        CHECK(result.error().kind == ErrorKind::protocol);
      }
      CHECK(counter.packets <= kPacketsInStream + 1);
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("random bytes end with an error") {
  std::mt19937 random(20240607);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::byte> noise(1 + random() % 4096);
    for (auto& byte : noise) byte = static_cast<std::byte>(random());
    noise[0] |= std::byte{0x01};  // never a hello by chance
    Counter counter;
    Parser host({}, counter);
    const auto result = host.feed(noise);
    CHECK(bool(result) == (noise.size() < 12));  // an unfinished header is not wrong yet
    CHECK(counter.packets == 0);
  }
}

TEST_CASE("HTTP text instead of usbredir ends with an error") {
  Counter counter;
  Parser host({}, counter);
  CHECK_FALSE(host.feed(test::bytes_of("HTTP/1.1 503 Service Unavailable\r\n\r\n")));
}
