#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "device-sim/emulation/descriptor_set.h"
#include "device-sim/emulation/device.h"

// The lines that pass between us and a program that models a device: JSON objects, with bytes as hexadecimal text
// (docs/devices.md, model). What comes is not trusted.
namespace usbloop::device_sim {

/// A line is no longer; bytes.
inline constexpr std::size_t kLongestModelLine = std::size_t{8} << 20;
/// What is asked of an IN endpoint at once, at most; bytes.
inline constexpr std::size_t kMostModelData = std::size_t{1} << 20;

/// What the program says first: what its device is.
struct ModelHello {
  usbredir::DeviceDescription description;
  DescriptorSet descriptors;
};
/// `name` is the socket, for the device's label. An Error (kind invalid) says what is wrong with it: descriptors that
/// are none, isochronous endpoints and bulk streams, which the lines have no words for.
Result<ModelHello> parse_model_hello(std::string_view line, const std::string& name);

/// What the program says to a question.
struct ModelAnswer {
  std::uint64_t id = 0;  ///< of the question
  TransferStatus status = TransferStatus::success;
  std::vector<std::byte> data = {};
};
Result<ModelAnswer> parse_model_answer(std::string_view line);

// What it is told, with the newline at the end.

std::string control_line(std::uint64_t id, const SetupPacket& setup, std::span<const std::byte> data);
std::string out_line(std::uint64_t id, std::uint8_t endpoint, std::span<const std::byte> data);
std::string in_line(std::uint64_t id, std::uint8_t endpoint, std::size_t length);
std::string reset_line();
std::string select_line(std::uint8_t interface, std::uint8_t alternate);
std::string clear_halt_line(std::uint8_t endpoint);

}  // namespace usbloop::device_sim
