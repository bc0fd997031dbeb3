// Every bound on what a peer may send has a case of its own here.
#include <doctest/doctest.h>

#include "common/test_text.h"
#include "usbredir/parser.h"
#include "usbredir/test_support.h"

using namespace usbloop;
using namespace usbloop::usbredir;
using test::raw_hello;
using test::raw_packet;
using usbloop::testing::contains;

namespace {

constexpr std::uint32_t kFilterCapability = 1U << usb_redir_cap_filter;

struct Host {
  explicit Host(std::uint32_t peer_capabilities = kFilterCapability) : parser({}, nobody) {
    REQUIRE(parser.feed(raw_hello(peer_capabilities)));
  }

  /// The stream goes on to be read / the cause why not.
  std::string feed(std::span<const std::byte> bytes) {
    const auto result = parser.feed(bytes);
    if (result) return "";
    CHECK(result.error().kind == ErrorKind::protocol);
    CHECK_FALSE(parser.feed(bytes));  // and it stays so
    return result.error().cause;
  }

  PacketHandler nobody;
  Parser parser;
};

std::vector<std::byte> body(std::size_t size) { return std::vector<std::byte>(size); }

}  // namespace

TEST_CASE("bulk data up to the limit is taken and one byte more is refused before it is allocated") {
  const std::uint32_t limit = PacketLimits{}.data;
  Host host;
  // A body that never comes: only the header counts.
  CHECK(host.feed(raw_packet(usb_redir_bulk_packet, 8 + limit, {})) == "");
  Host other;
  CHECK(contains(other.feed(raw_packet(usb_redir_bulk_packet, 289 + limit, {})), "longer than the limit"));
}

TEST_CASE("lengths that wrap around an int are refused") {
  for (const std::uint32_t length : {0x7fffffffU, 0x80000000U, 0xffffffffU, 300U << 20}) {
    Host host;
    CHECK(contains(host.feed(raw_packet(usb_redir_control_packet, length, {})), "longer than the limit"));
  }
}

TEST_CASE("a packet without data cannot be longer than its header") {
  Host host;
  CHECK(contains(host.feed(raw_packet(usb_redir_reset, 1, body(1))), "length"));
  Host other;
  CHECK(contains(other.feed(raw_packet(usb_redir_reset, 1000, {})), "longer than the limit"));
}

TEST_CASE("a packet shorter than its header is refused") {
  Host host;
  CHECK(contains(host.feed(raw_packet(usb_redir_control_packet, 3, body(3))), "length"));
}

TEST_CASE("data that does not fit the length in the header is refused") {
  Host host;
  auto packet = body(8 + 5);  // the header says 0 bytes
  CHECK(contains(host.feed(raw_packet(usb_redir_bulk_packet, 13, packet)), "data len"));
}

TEST_CASE("a hello may carry more capabilities than we know, within reason") {
  PacketHandler nobody;
  for (const auto& [extra, taken] : {std::pair<std::size_t, bool>{64, true}, {65, false}, {1 << 20, false}}) {
    Parser parser({}, nobody);
    const auto packet = body(64 + extra);
    CHECK(bool(parser.feed(raw_packet(usb_redir_hello, static_cast<std::uint32_t>(packet.size()), packet))) == taken);
    CHECK(parser.peer_known() == taken);
  }
}

TEST_CASE("a hello without capabilities, without an end of its text or cut short") {
  PacketHandler nobody;
  Parser none({}, nobody);
  CHECK(none.feed(raw_packet(usb_redir_hello, 64, body(64))));
  CHECK(none.peer_known());
  Parser endless({}, nobody);
  const std::vector<std::byte> full(68, std::byte{'x'});
  CHECK(endless.feed(raw_packet(usb_redir_hello, 68, full)));
  Parser cut({}, nobody);
  CHECK_FALSE(cut.feed(raw_packet(usb_redir_hello, 63, body(63))));
}

TEST_CASE("a second hello and packets before the first one are refused") {
  Host host;
  CHECK(host.feed(raw_hello(kFilterCapability)) == "a second hello");
  PacketHandler nobody;
  Parser parser({}, nobody);
  const auto early = parser.feed(raw_packet(usb_redir_reset, 0, {}));
  REQUIRE_FALSE(early);
  CHECK(early.error().cause == "packet type 3 before the hello");
}

TEST_CASE("packets of the wrong direction and of unknown types are refused") {
  for (const std::uint32_t type :
       {std::uint32_t{usb_redir_device_connect}, std::uint32_t{usb_redir_ep_info}, 28U, 99U, 105U, 0xdeadbeefU}) {
    Host host;
    CHECK(contains(host.feed(raw_packet(type, 0, {})), "invalid"));
  }
}

TEST_CASE("a filter is bounded, must end with a zero byte, and a broken one is passed over") {
  const std::string rules = "0x08,-1,-1,-1,1|-1,-1,-1,-1,0";
  Host host;
  auto text = test::bytes_of(rules);
  text.push_back(std::byte{0});
  CHECK(host.feed(raw_packet(usb_redir_filter_filter, static_cast<std::uint32_t>(text.size()), text)) == "");
  auto broken = test::bytes_of("no rule at all");
  broken.push_back(std::byte{0});
  CHECK(host.feed(raw_packet(usb_redir_filter_filter, static_cast<std::uint32_t>(broken.size()), broken)) == "");
  Host open;
  const auto unended = test::bytes_of(rules);
  CHECK(contains(open.feed(raw_packet(usb_redir_filter_filter, static_cast<std::uint32_t>(unended.size()), unended)),
                 "terminated"));
  Host big;
  CHECK(contains(big.feed(raw_packet(usb_redir_filter_filter, 64 * 1024 + 1, {})), "longer than the limit"));
}
