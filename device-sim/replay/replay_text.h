#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "device-sim/emulation/device.h"

// How a replay speaks of what it was asked.
namespace usbloop::device_sim {

/// "endpoint 0x81".
std::string endpoint_text(std::uint8_t endpoint);
/// The eight bytes in Wireshark's words.
std::string setup_text(const SetupPacket& setup);
bool same_setup(const SetupPacket& one, const SetupPacket& other);
/// Where `got` is not what was expected; empty: nowhere.
std::string data_difference(std::span<const std::byte> expected, std::span<const std::byte> got);
/// The text of a string descriptor, with ? for what is not ASCII.
std::string string_text(const std::vector<std::byte>& descriptor);

}  // namespace usbloop::device_sim
