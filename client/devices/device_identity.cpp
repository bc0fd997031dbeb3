#include "client/devices/device_identity.h"

namespace usbloop::client {

namespace {

bool is_same(const LocalDevice& device, const DeviceIdentity& identity) {
  return device.vendor == identity.vendor && device.product == identity.product && device.serial == identity.serial &&
         (!identity.bound_to_port || device.port_path() == identity.port);
}

}  // namespace

std::string DeviceIdentity::label() const {
  std::string text = to_string(Selector(VendorProduct{vendor, product}));
  if (!serial.empty()) text += " with the serial number " + usbredir::printable(serial);
  if (bound_to_port) text += " at port " + port;
  return text;
}

DeviceIdentity identity_of(const LocalDevice& device, bool named_by_port) {
  return {device.vendor, device.product, device.serial, device.port_path(), named_by_port || device.serial.empty()};
}

Result<std::size_t> find_again(const std::vector<LocalDevice>& devices, const DeviceIdentity& identity) {
  std::vector<std::size_t> found;
  for (std::size_t index = 0; index < devices.size(); ++index) {
    if (!is_same(devices[index], identity)) continue;
    if (devices[index].port_path() == identity.port) return index;
    found.push_back(index);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return make_error(ErrorKind::not_found, "find USB device", identity.label(), "it is unplugged");
  std::string lines;
  for (const auto index : found) lines += "\n  " + devices[index].line();
  return make_error(ErrorKind::conflict, "choose between devices", identity.label(),
                    std::to_string(found.size()) + " of them are plugged in",
                    "Plug the device into its old port, " + identity.port + ":" + lines);
}

}  // namespace usbloop::client
