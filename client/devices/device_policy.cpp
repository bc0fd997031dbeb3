#include "client/devices/device_policy.h"

#include <algorithm>

namespace usbloop::client {

namespace {

FilteredDevice as_filtered(const LocalDevice& device) {
  return {device.vendor, device.product, device.version, device.device_class, device.interfaces};
}

tl::unexpected<Error> refused(const LocalDevice& device, const std::string& cause, const std::string& hint) {
  return make_error(ErrorKind::denied, "redirect USB device", device.line(), cause, hint);
}

}  // namespace

Result<> DevicePolicy::check(const LocalDevice& device) const {
  if (const auto why = configured.refusal(as_filtered(device))) {
    return refused(device, *why,
                   "The rules are in " + config_path + ": change them there if this device may be shared.");
  }
  if (const auto why = given.refusal(as_filtered(device)))
    return refused(
        device, *why,
        "The rules are those of --filter: put one before it that allows this device, or leave --filter out.");
  if (!allows_keyboard && std::any_of(device.interfaces.begin(), device.interfaces.end(), is_keyboard)) {
    return refused(
        device, "it is a keyboard",
        "While the VM has it, nobody can type on it here, not even Ctrl-C. If it is not the one you type on, "
        "--force redirects it.");
  }
  return {};
}

}  // namespace usbloop::client
