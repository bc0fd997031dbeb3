#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace usbloop::device_sim {

/// All that a device answers to GET_DESCRIPTOR, as bytes of the USB specification.
struct DescriptorSet {
  std::vector<std::byte> device;
  std::vector<std::byte> configuration;
  std::vector<std::byte> bos;                        ///< empty below USB 2.01
  std::vector<std::byte> device_qualifier;           ///< empty unless the device is a high-speed one
  std::vector<std::byte> other_speed_configuration;  ///< as device_qualifier
  std::vector<std::string> strings;                  ///< index 1 is the first; ASCII

  /// The descriptor of `type` and `index`; empty when the device has none (it stalls).
  [[nodiscard]] std::vector<std::byte> find(std::uint8_t type, std::uint8_t index) const;
};

}  // namespace usbloop::device_sim
