#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

// The file that describes a desk: a list of emulated devices, each at its place. docs/devices.md has its keys.
namespace usbloop::desk {

inline constexpr std::size_t kMostDevices = 64;  ///< on one desk

/// Where a device stands, as lsusb and sysfs name the places of hardware.
struct Place {
  std::uint8_t bus = 1;
  std::uint8_t address = 0;  ///< 1 to 127; lsusb's Device
  std::string ports;         ///< `1.4`: the port of each hub down to the device

  /// `1-1.4`.
  [[nodiscard]] std::string port_path() const { return std::to_string(bus) + "-" + ports; }
  /// `1-3`.
  [[nodiscard]] std::string bus_device() const { return std::to_string(bus) + "-" + std::to_string(address); }
};

/// One device of the file.
struct DeskEntry {
  std::string name;  ///< unique; a letter, then letters, digits, `-` and `_`
  Place place;
  device_sim::DeviceSpec spec;  ///< its kind, and all keys that are not the desk's own
  std::string label;            ///< what lists call it; empty: as its ids and its strings say
  bool plugged = true;          ///< when the desk begins
  std::uint64_t size = 0;       ///< an image that is not there is made with so many bytes; 0: it has to be there
  int line = 0;                 ///< in the file
};

/// Reads the text of a desk file. Each device has a place and a name then; `path` is for errors, which name line,
/// device and cure, and its folder is where images are looked for. Size, depth and number of values are bounded. Error:
/// invalid.
Result<std::vector<DeskEntry>> parse_desk(const std::string& text, const std::string& path);

/// The same of a file. Errors: not_found, denied, invalid.
Result<std::vector<DeskEntry>> read_desk(const std::string& path);

/// Makes the device, and its image where that is missing and the entry has a size. Errors name the line of `path`.
Result<std::unique_ptr<device_sim::Device>> make_desk_device(const DeskEntry& entry, const std::string& path);

}  // namespace usbloop::desk
