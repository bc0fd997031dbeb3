#include "bridge/stream_guard.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "usbredir/parser.h"

using namespace usbloop;
using namespace usbloop::bridge;

namespace {

/// What a client sends: its hello, and the answer to a read of a mebibyte once it knows QEMU's hello.
std::vector<std::byte> client_stream() {
  usbredir::PacketHandler nobody;
  usbredir::ParserOptions guest_options;
  guest_options.side = usbredir::Side::usb_guest;
  usbredir::Parser guest(guest_options, nobody);
  usbredir::Parser host({}, nobody);
  REQUIRE(host.feed(guest.pending()));
  const std::vector<std::byte> data(1 << 20, std::byte{'d'});
  usb_redir_bulk_packet_header header{};
  header.endpoint = 0x81;
  header.length = static_cast<std::uint16_t>(data.size() & 0xffff);
  header.length_high = static_cast<std::uint16_t>(data.size() >> 16);
  host.send(1, header, data);
  std::vector<std::byte> stream;
  while (!host.pending().empty()) {
    stream.insert(stream.end(), host.pending().begin(), host.pending().end());
    host.consume(host.pending().size());
  }
  return stream;
}

std::vector<std::byte> noise(std::size_t size) {
  std::mt19937 generator(1);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(generator());
  return bytes;
}

}  // namespace

TEST_CASE("a good stream passes, cut anywhere") {
  const auto stream = client_stream();
  for (const std::size_t piece : std::initializer_list<std::size_t>{1, 7, 4096, stream.size()}) {
    StreamGuard guard;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      REQUIRE(guard.pass(std::span(stream).subspan(at, std::min(piece, stream.size() - at))));
    }
  }
}

TEST_CASE("noise is refused from the first byte on, and after a good stream") {
  StreamGuard guard;
  const auto refused = guard.pass(noise(1000));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::protocol);
  StreamGuard later;
  REQUIRE(later.pass(client_stream()));
  CHECK_FALSE(later.pass(noise(1000)));
  CHECK_FALSE(later.pass(client_stream()));  // once lost, always lost
}
