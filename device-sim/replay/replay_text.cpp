#include "device-sim/replay/replay_text.h"

#include <algorithm>
#include <cstdio>

namespace usbloop::device_sim {
namespace {

std::string hex_text(const char* format, unsigned value) {
  char text[16];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string endpoint_text(std::uint8_t endpoint) { return "endpoint " + hex_text("0x%02x", endpoint); }

std::string setup_text(const SetupPacket& setup) {
  return "bmRequestType " + hex_text("0x%02x", setup.request_type) + " bRequest " + std::to_string(setup.request) +
         " wValue " + hex_text("0x%04x", setup.value) + " wIndex " + hex_text("0x%04x", setup.index) + " wLength " +
         std::to_string(setup.length);
}

bool same_setup(const SetupPacket& one, const SetupPacket& other) {
  return one.request_type == other.request_type && one.request == other.request && one.value == other.value &&
         one.index == other.index && one.length == other.length;
}

std::string data_difference(std::span<const std::byte> expected, std::span<const std::byte> got) {
  if (expected.size() != got.size())
    return std::to_string(got.size()) + " bytes came, expected " + std::to_string(expected.size());
  const auto [at, other] = std::mismatch(expected.begin(), expected.end(), got.begin());
  if (at == expected.end()) return {};
  return "of " + std::to_string(got.size()) + " bytes number " + std::to_string(at - expected.begin()) + " is " +
         hex_text("%02x", std::to_integer<unsigned>(*other)) + ", expected " +
         hex_text("%02x", std::to_integer<unsigned>(*at));
}

std::string string_text(const std::vector<std::byte>& descriptor) {
  std::string text;
  for (std::size_t at = 2; at + 1 < descriptor.size(); at += 2) {
    const auto low = std::to_integer<unsigned char>(descriptor[at]);
    text += descriptor[at + 1] == std::byte{0} && low >= 0x20 && low < 0x7f ? static_cast<char>(low) : '?';
  }
  return text;
}

}  // namespace usbloop::device_sim
