#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace usbloop::device_sim {

struct UsbId {
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
};

/// `0951:1666`: two numbers of one to four hexadecimal digits. Nothing when it is something else.
std::optional<UsbId> parse_usb_id(std::string_view text);

/// A device described in words: `stick,image=FILE,speed=super,ro`. A comma inside a value is written twice, as in
/// QEMU's options.
struct DeviceSpec {
  std::string kind;
  std::map<std::string, std::string> options;  ///< a switch such as `ro` has an empty value
};

/// An Error (kind invalid) for an empty or doubled option; make_device() checks kinds and names of options.
Result<DeviceSpec> parse_spec(std::string_view text);

/// The operation of the errors about a description that says nothing sensible. Those about its files have another.
inline constexpr const char* kEmulateOperation = "emulate";

}  // namespace usbloop::device_sim
