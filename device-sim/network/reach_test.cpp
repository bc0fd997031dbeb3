#include "device-sim/network/reach.h"

#include <doctest/doctest.h>

#include "device-sim/network/test_packets.h"

using namespace usbloop::network;
using namespace usbloop::network::test;

namespace {

constexpr unsigned kSyn = 2, kAck = 0x10;
constexpr std::uint32_t kElsewhere = 0x08080808;

const Reach kNothing = {};
const Reach kPorts = {.ports = {80, 8080}};
const Reach kOutside = {.outside = true};
const Reach kBoth = {.ports = {80}, .outside = true};

void set_option_word(Frame& frame) {  // a head of six words
  set_16(frame, 14, 0x4600);
  set_16(frame, 16, 20 + 4 + 20);
  frame.insert(frame.begin() + 34, 4, std::byte{1});
}

}  // namespace

TEST_CASE("without a word a guest reaches ARP, DHCP and pings of the host alone") {
  for (const Reach* reach : {&kNothing, &kPorts, &kOutside, &kBoth}) {
    CHECK(reach->allows(arp_request(kHostAddress)));
    CHECK(reach->allows(udp_packet(0xffffffff, 68, 67)));
    CHECK(reach->allows(udp_packet(kHostAddress, 68, 67)));
    CHECK(reach->allows(ping(kHostAddress)));
  }
  CHECK_FALSE(kNothing.allows(tcp_packet(kHostAddress, 80, kSyn)));
  CHECK_FALSE(kNothing.allows(udp_packet(kHostAddress, 1000, 80)));
  CHECK_FALSE(kNothing.allows(udp_packet(kResolverAddress, 1000, 53)));
  CHECK_FALSE(kNothing.allows(tcp_packet(kElsewhere, 80, kSyn)));
  CHECK_FALSE(kNothing.allows(ping(kElsewhere)));
  CHECK_FALSE(kNothing.allows(udp_packet(0xffffffff, 1000, 80)));
}

TEST_CASE("ports of the host are those that are named, by TCP and UDP, and nothing beside") {
  CHECK(kPorts.allows(tcp_packet(kHostAddress, 80, kSyn)));
  CHECK(kPorts.allows(tcp_packet(kHostAddress, 8080, kAck)));
  CHECK(kPorts.allows(udp_packet(kHostAddress, 1000, 80)));
  CHECK_FALSE(kPorts.allows(tcp_packet(kHostAddress, 81, kSyn)));
  CHECK_FALSE(kPorts.allows(tcp_packet(kElsewhere, 80, kSyn)));
  CHECK_FALSE(kPorts.allows(udp_packet(kResolverAddress, 1000, 53)));
  CHECK_FALSE(kPorts.allows(tcp_packet(0x0a000205, 80, kSyn)));  // the library takes it for this machine
  CHECK_FALSE(kPorts.allows(tcp_packet(0x7f000001, 80, kSyn)));
  CHECK_FALSE(kPorts.allows(ip_packet(kHostAddress, 17, Frame(8), 0x2000)));  // a piece hides the port
  CHECK_FALSE(kPorts.allows(ip_packet(kHostAddress, 6, Frame(8), 1)));
  CHECK_FALSE(kPorts.allows(ip_packet(kHostAddress, 47, Frame(20))));
  CHECK_FALSE(kPorts.allows(ip_packet(kHostAddress, 6, Frame(3))));
  Frame longer = tcp_packet(kHostAddress, 80, kSyn);
  set_option_word(longer);
  CHECK_FALSE(kPorts.allows(longer));
}

TEST_CASE("outside is everything but this machine, groups and link-local addresses") {
  CHECK(kOutside.allows(tcp_packet(kElsewhere, 80, kSyn)));
  CHECK(kOutside.allows(ping(kElsewhere)));
  CHECK(kOutside.allows(udp_packet(kResolverAddress, 1000, 53)));
  CHECK_FALSE(kOutside.allows(udp_packet(kResolverAddress, 1000, 80)));
  CHECK_FALSE(kOutside.allows(ip_packet(kResolverAddress, 17, Frame(8), 1)));
  for (const std::uint32_t address : {0x7f000001U, 0x7fffffffU, 0U, 0x00000001U, 0xa9fea9feU, 0xe0000001U, 0xff000000U,
                                      0xffffffffU, 0x0a000200U, 0x0a0002ffU, 0x0a00020fU, 0x0a000204U}) {
    CAPTURE(address);
    CHECK_FALSE(kOutside.allows(tcp_packet(address, 80, kSyn)));
    CHECK_FALSE(kOutside.allows(ping(address)));
  }
  CHECK_FALSE(kOutside.allows(tcp_packet(kHostAddress, 80, kSyn)));
  CHECK(kBoth.allows(tcp_packet(kHostAddress, 80, kSyn)));
  CHECK(kBoth.allows(tcp_packet(kElsewhere, 443, kSyn)));
}

TEST_CASE("frames that are no whole IPv4 packet go nowhere, cut anywhere") {
  const Frame whole = tcp_packet(kHostAddress, 80, kSyn);
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(kBoth.allows(std::span(whole).first(size)));
  CHECK(kBoth.allows(whole));
  CHECK_FALSE(kBoth.allows(frame_head(0x86dd)));  // IPv6
  CHECK_FALSE(kBoth.allows(frame_head(0x8100)));
  CHECK_FALSE(kBoth.allows(frame_head(0x88f8)));  // NC-SI, which the library would answer
  for (const unsigned first : {0x4400U, 0x5500U, 0x4f00U}) {
    Frame wrong = whole;
    set_16(wrong, 14, first);
    CHECK_FALSE(kBoth.allows(wrong));
  }
  for (const unsigned total : {0U, 19U, 23U, 41U, 65535U}) {
    Frame wrong = whole;
    set_16(wrong, 16, total);
    CHECK_FALSE(kBoth.allows(wrong));
  }
}

TEST_CASE("packets in pieces go nowhere, as libslirp 4.7 crashes by them") {
  for (const unsigned piece : {0x2000U, 1U, 0x2001U, 0x1fffU}) {
    CHECK_FALSE(kBoth.allows(ping(kHostAddress, piece)));
    CHECK_FALSE(kBoth.allows(ip_packet(kElsewhere, 17, Frame(8), piece)));
    CHECK_FALSE(kBoth.allows(ip_packet(0xffffffff, 17, udp_packet(0, 68, 67), piece)));
  }
  CHECK(kBoth.allows(ip_packet(kElsewhere, 17, Frame(8), 0x4000)));  // may not be cut
}

TEST_CASE("all but the later packets of a TCP connection may open a socket") {
  CHECK(may_open_socket(tcp_packet(kHostAddress, 80, kSyn)));
  CHECK(may_open_socket(udp_packet(kHostAddress, 1000, 80)));
  CHECK(may_open_socket(ping(kElsewhere)));
  CHECK(may_open_socket(ip_packet(kElsewhere, 6, Frame(12))));  // it cannot be told
  CHECK_FALSE(may_open_socket(tcp_packet(kHostAddress, 80, kAck)));
  CHECK_FALSE(may_open_socket(tcp_packet(kHostAddress, 80, kSyn | kAck)));
  CHECK_FALSE(may_open_socket(arp_request(kHostAddress)));
}
