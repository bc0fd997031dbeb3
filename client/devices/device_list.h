#pragma once

#include <string>
#include <vector>

#include "client/devices/usb_device.h"
#include "client/devices/usb_ids.h"

// What `list` prints. Pure functions.
namespace usbloop::client {

/// A device and what the system says of it at this moment.
struct ListedDevice {
  LocalDevice device;
  std::string name;     ///< vendor and product, printable
  std::string drivers;  ///< platform::drivers()
  bool accessible = false;

  /// Why it is no good to redirect; empty when it is.
  [[nodiscard]] std::string objection() const;
};

enum class ListFormat { lines, wide, json, yaml };

/// `name` is what lsusb shows: from the lists of ids, else what the device says of itself.
std::string device_name(const LocalDevice& device, const UsbIds& ids);

/// Adds the names, drivers and rights.
std::vector<ListedDevice> look_at(const std::vector<LocalDevice>& devices);

/// `Bus 001 Device 003: ID 0951:1666 Kingston Technology DataTraveler`, as lsusb.
std::string lsusb_line(const ListedDevice& device);

/// One line of json: {"event": …, "device": {…}}.
std::string event_line(const ListedDevice& device, const std::string& event);

/// All of them, hubs too, as lsusb lists them. docs/client.md describes the fields of json and yaml.
std::string render(const std::vector<ListedDevice>& devices, ListFormat format);

}  // namespace usbloop::client
