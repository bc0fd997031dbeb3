#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace usbloop::network {

/// An Ethernet frame (IEEE 802.3) as drivers see it: two addresses, a type, the payload; no preamble, no checksum.
using Frame = std::vector<std::byte>;
inline constexpr std::size_t kFrameHead = 14, kLongestFrame = 1514;

using MacAddress = std::array<std::uint8_t, 6>;
inline constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/// To whom a frame goes; it has at least a head.
MacAddress destination_of(std::span<const std::byte> frame);

inline bool is_group(const MacAddress& address) { return (address[0] & 1) != 0; }

/// `02:00:5e:10:00:01`. Nothing when it is something else, or not the address of one adapter.
std::optional<MacAddress> parse_mac(std::string_view text);

/// An address that nobody has been given ("locally administered"), the same one for the same text.
MacAddress made_up_mac(std::string_view text);

/// Twelve hexadecimal digits in capitals.
std::string mac_digits(const MacAddress& address);

}  // namespace usbloop::network
