#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "device-sim/network/ethernet.h"

// Packets for tests; no part of the library.
namespace usbloop::network::test {

inline constexpr MacAddress kGuestMac = {2, 0, 0, 0, 0, 1};

inline void put(Frame& frame, std::initializer_list<unsigned> octets) {
  for (const unsigned octet : octets) frame.push_back(static_cast<std::byte>(octet));
}
inline void put_16(Frame& frame, unsigned value) { put(frame, {value >> 8 & 0xff, value & 0xff}); }
inline void put_32(Frame& frame, std::uint32_t value) {
  put_16(frame, value >> 16);
  put_16(frame, value & 0xffff);
}
inline std::uint16_t take_16(std::span<const std::byte> frame, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(frame[at]) << 8 |
                                    std::to_integer<unsigned>(frame[at + 1]));
}

inline Frame frame_head(std::uint16_t type) {
  Frame frame(6, std::byte{0xff});
  for (const auto octet : kGuestMac) frame.push_back(std::byte{octet});
  put_16(frame, type);
  return frame;
}

/// Asks who has `address`; the guest is 10.0.2.15.
inline Frame arp_request(std::uint32_t address) {
  Frame frame = frame_head(0x0806);
  for (const unsigned value : {1U, 0x0800U, 0x0604U, 1U}) put_16(frame, value);
  for (const auto octet : kGuestMac) frame.push_back(std::byte{octet});
  put_32(frame, 0x0a00020f);
  put(frame, {0, 0, 0, 0, 0, 0});
  put_32(frame, address);
  return frame;
}

/// The sum of RFC 1071 over what stands from `at` on.
inline std::uint16_t internet_sum(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) sum += take_16(bytes, at);
  if (bytes.size() % 2 != 0) sum += std::to_integer<unsigned>(bytes.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

inline void set_16(Frame& frame, std::size_t at, unsigned value) {
  frame[at] = static_cast<std::byte>(value >> 8);
  frame[at + 1] = static_cast<std::byte>(value & 0xff);
}

/// An IPv4 packet of 10.0.2.15; `fragment` is its flags and offset.
inline Frame ip_packet(std::uint32_t to, unsigned protocol, const Frame& body, unsigned fragment = 0) {
  Frame frame = frame_head(0x0800);
  put_16(frame, 0x4500);
  put_16(frame, static_cast<unsigned>(20 + body.size()));
  put_16(frame, 1);
  put_16(frame, fragment);
  put(frame, {64, protocol, 0, 0});
  put_32(frame, 0x0a00020f);
  put_32(frame, to);
  set_16(frame, 14 + 10, internet_sum(std::span(frame).subspan(14, 20)));
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

/// Without a checksum, which UDP allows.
inline Frame udp_packet(std::uint32_t to, unsigned from_port, unsigned to_port, const Frame& data = {}) {
  Frame body;
  put_16(body, from_port);
  put_16(body, to_port);
  put_16(body, static_cast<unsigned>(8 + data.size()));
  put_16(body, 0);
  body.insert(body.end(), data.begin(), data.end());
  return ip_packet(to, 17, body);
}

/// Puts in the sums of an IPv4 packet with 20 bytes of head, and of the TCP behind it.
inline void set_sums(Frame& frame) {
  constexpr std::size_t kIp = 14, kTcp = 34, kTcpSum = kTcp + 16;
  set_16(frame, kIp + 10, 0);
  set_16(frame, kIp + 10, internet_sum(std::span(frame).subspan(kIp, 20)));
  if (std::to_integer<unsigned>(frame[kIp + 9]) != 6 || frame.size() < kTcpSum + 2) return;
  set_16(frame, kTcpSum, 0);
  // What the sum is over: both addresses, the protocol, the size, and TCP itself (RFC 9293, 3.1).
  Frame pseudo(frame.begin() + kIp + 12, frame.begin() + kTcp);
  put_16(pseudo, 6);
  put_16(pseudo, static_cast<unsigned>(frame.size() - kTcp));
  pseudo.insert(pseudo.end(), frame.begin() + kTcp, frame.end());
  set_16(frame, kTcpSum, internet_sum(pseudo));
}

inline Frame tcp_packet(std::uint32_t to, unsigned to_port, unsigned flags) {
  Frame body;
  put_16(body, 1000);
  put_16(body, to_port);
  put_32(body, 1);
  put_32(body, 0);
  put(body, {0x50, flags, 0x10, 0, 0, 0, 0, 0});
  Frame frame = ip_packet(to, 6, body);
  set_sums(frame);
  return frame;
}

inline Frame ping(std::uint32_t to, unsigned fragment = 0) {
  Frame body;
  put(body, {8, 0, 0, 0, 0, 1, 0, 1, 'a', 'b', 'c', 'd'});
  set_16(body, 2, internet_sum(body));
  return ip_packet(to, 1, body, fragment);
}

}  // namespace usbloop::network::test
