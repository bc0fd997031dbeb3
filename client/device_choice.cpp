#include <algorithm>

#include "client/usb_device.h"

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
  const auto& kind = std::get<VendorProduct>(selector);
  return device.vendor == kind.vendor && device.product == kind.product;
}

tl::unexpected<Error> no_match(const std::vector<LocalDevice>& devices, const Selector& selector) {
  std::vector<const LocalDevice*> usable;
  for (const auto& device : devices) {
    if (!device.hub) usable.push_back(&device);
  }
  const std::string hint = usable.empty()
                               ? "No USB device but hubs is plugged in. --emulate stick,image=FILE redirects an "
                                 "emulated device instead."
                               : "The devices of this machine are (see also lsusb):" + lines(usable);
  return make_error(ErrorKind::not_found, "find USB device", to_string(selector), "it is not plugged in", hint);
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace

Result<std::size_t> choose_device(const std::vector<LocalDevice>& devices, const Selector& selector) {
  std::vector<const LocalDevice*> found;
  for (const auto& device : devices) {
    if (matches(device, selector)) found.push_back(&device);
  }
  if (found.empty()) return no_match(devices, selector);
  if (found.size() > 1) {
    return make_error(ErrorKind::conflict, "choose between devices", to_string(selector),
                      std::to_string(found.size()) + " of them are plugged in",
                      "Name one by its BUS-DEVICE:" + lines(found));
  }
  if (found.front()->hub) {
    return make_error(ErrorKind::invalid, "redirect USB device", to_string(selector), "it is a hub",
                      "Choose the device that is plugged into it.");
  }
  return static_cast<std::size_t>(found.front() - devices.data());
}

std::string device_table(const std::vector<LocalDevice>& devices) {
  constexpr std::size_t kPlace = 12;
  constexpr std::size_t kId = 12;
  constexpr std::size_t kDriver = 14;
  constexpr std::size_t kAccess = 8;
  std::string text = padded("BUS-DEVICE", kPlace) + padded("ID", kId) + padded("DRIVER", kDriver) +
                     padded("ACCESS", kAccess) + "PRODUCT\n";
  for (const auto& device : devices) {
    if (device.hub) continue;
    const auto driver = platform::drivers(device.place);
    const std::string name = device.manufacturer +
                             (device.manufacturer.empty() || device.product_name.empty() ? "" : " ") +
                             device.product_name;
    text += padded(device.bus_device(), kPlace) + padded(device.id(), kId) +
            padded(driver.empty() ? "unknown" : driver, kDriver) +
            padded(platform::accessible(device.place) ? "yes" : "no", kAccess) + name + "\n";
  }
  return text;
}

}  // namespace usbloop::client
