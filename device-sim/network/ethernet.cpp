#include "device-sim/network/ethernet.h"

#include <algorithm>
#include <charconv>

namespace usbloop::network {

MacAddress destination_of(std::span<const std::byte> frame) {
  MacAddress address{};
  for (std::size_t at = 0; at < address.size(); ++at) address.at(at) = std::to_integer<std::uint8_t>(frame[at]);
  return address;
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  constexpr std::size_t kLength = 17;
  if (text.size() != kLength) return std::nullopt;
  MacAddress address{};
  for (std::size_t index = 0; index < address.size(); ++index) {
    const std::string_view digits = text.substr(index * 3, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.at(index), 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    if (index > 0 && text[index * 3 - 1] != ':') return std::nullopt;
  }
  const bool is_nobody = std::all_of(address.begin(), address.end(), [](std::uint8_t octet) { return octet == 0; });
  if (is_group(address) || is_nobody) return std::nullopt;
  return address;
}

MacAddress made_up_mac(std::string_view text) {
  std::uint64_t sum = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  MacAddress address{};
  for (auto& octet : address) {
    octet = static_cast<std::uint8_t>(sum & 0xff);
    sum >>= 8;
  }
  address[0] = 0x02;
  return address;
}

std::string mac_digits(const MacAddress& address) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const std::uint8_t octet : address) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 0xf];
  }
  return text;
}

}  // namespace usbloop::network
