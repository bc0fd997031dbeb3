#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "device-sim/device.h"
#include "usbredir/host_end.h"

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

/// An Error (kind invalid) for an empty or doubled option; kinds and option names are checked by make_device().
Result<DeviceSpec> parse_spec(std::string_view text);

/// The operation of the errors about a description that says nothing sensible. Those about its files have another.
inline constexpr const char* kEmulateOperation = "emulate";

/// Makes the device; opens and locks its files. `default_id` is used when the description has no id=.
Result<std::unique_ptr<Device>> make_device(const DeviceSpec& spec, std::optional<UsbId> default_id = std::nullopt);

/// The usb-host end of a new usbredir stream for the device that `spec` describes.
Result<std::unique_ptr<usbredir::HostEnd>> make_host_end(std::string_view spec,
                                                         std::optional<UsbId> default_id = std::nullopt);

/// What may be written in a description, for --help.
std::string spec_help();

}  // namespace usbloop::device_sim
