#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "usbredir/parser.h"

// Helpers of the tests; no part of the library.
namespace usbloop::usbredir::test {

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

/// All that waits, taken out.
template <typename End>
std::vector<std::byte> drain(End& end) {
  std::vector<std::byte> all;
  while (!end.pending().empty()) {
    const auto piece = end.pending();
    all.insert(all.end(), piece.begin(), piece.end());
    end.consume(piece.size());
  }
  return all;
}

/// A packet as it stands on the wire, made by hand: header (64-bit ids or not), type header, data.
inline std::vector<std::byte> raw_packet(std::uint32_t type, std::uint32_t length, std::span<const std::byte> body,
                                         bool long_id = false) {
  std::vector<std::byte> packet;
  const auto u32 = [&](std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) packet.push_back(static_cast<std::byte>(value >> shift));
  };
  u32(type);
  u32(length);
  u32(7);
  if (long_id) u32(0);
  packet.insert(packet.end(), body.begin(), body.end());
  return packet;
}

/// The hello of a peer with these capabilities.
inline std::vector<std::byte> raw_hello(std::uint32_t capabilities, const std::string& version = "test") {
  std::vector<std::byte> body(64);
  for (std::size_t i = 0; i < version.size() && i < body.size(); ++i) body[i] = static_cast<std::byte>(version[i]);
  for (int shift = 0; shift < 32; shift += 8) body.push_back(static_cast<std::byte>(capabilities >> shift));
  return raw_packet(usb_redir_hello, static_cast<std::uint32_t>(body.size()), body);
}

}  // namespace usbloop::usbredir::test
