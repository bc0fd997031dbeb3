#include <algorithm>

#include "client/devices/usb_device.h"

namespace usbloop::client {

namespace {

constexpr std::size_t kLinesShown = 12;

std::string lines(const std::vector<const LocalDevice*>& devices) {
  std::string text;
  for (std::size_t index = 0; index < devices.size() && index < kLinesShown; ++index) {
    text += "\n  " + devices[index]->line();
  }
  if (devices.size() > kLinesShown) text += "\n  and " + std::to_string(devices.size() - kLinesShown) + " more";
  return text;
}

bool matches(const LocalDevice& device, const Selector& selector) {
  if (const auto* place = std::get_if<BusDevice>(&selector)) {
    return device.place.bus == place->bus && device.place.address == place->device;
  }
  if (const auto* port = std::get_if<PortPath>(&selector)) return device.port_path() == port->path;
  if (const auto* serial = std::get_if<SerialNumber>(&selector)) return device.serial == serial->serial;
  const auto& kind = std::get<VendorProduct>(selector);
  return device.vendor == kind.vendor && device.product == kind.product;
}

tl::unexpected<Error> no_match(const std::vector<LocalDevice>& devices, const Selector& selector) {
  std::vector<const LocalDevice*> usable;
  for (const auto& device : devices) {
    if (!device.hub) usable.push_back(&device);
  }
  const std::string hint =
      usable.empty()
          ? "No USB device but hubs is plugged in. --emulate stick,image=FILE redirects an "
            "emulated device instead."
          : (usable.front()->emulated ? "The desk has:" : "The devices of this machine are (see also lsusb):") +
                lines(usable);
  return make_error(ErrorKind::not_found, "find USB device", to_string(selector), "it is not plugged in", hint);
}

}  // namespace

std::vector<std::size_t> matching_devices(const std::vector<LocalDevice>& devices, const Selector& selector) {
  std::vector<std::size_t> found;
  for (std::size_t index = 0; index < devices.size(); ++index) {
    if (matches(devices[index], selector)) found.push_back(index);
  }
  return found;
}

Result<std::size_t> choose_device(const std::vector<LocalDevice>& devices, const Selector& selector) {
  const auto found = matching_devices(devices, selector);
  if (found.empty()) return no_match(devices, selector);
  if (found.size() > 1) {
    std::vector<const LocalDevice*> several;
    for (const auto index : found) several.push_back(&devices[index]);
    return make_error(ErrorKind::conflict, "choose between devices", to_string(selector),
                      std::to_string(found.size()) + " of them are plugged in",
                      "Name one by its BUS-DEVICE, its port or its serial number:" + lines(several));
  }
  if (devices[found.front()].hub) {
    return make_error(ErrorKind::invalid, "redirect USB device", to_string(selector), "it is a hub",
                      "Choose the device that is plugged into it.");
  }
  return found.front();
}

}  // namespace usbloop::client
