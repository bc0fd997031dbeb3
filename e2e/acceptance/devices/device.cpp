#include "e2e/acceptance/devices/device.h"

namespace usbloop::e2e {

std::string GuestPort::wait_path(const std::string& pattern) const {
  const std::string look = "ls -d /sys/bus/usb/devices/" + name + "/" + pattern + " 2>/dev/null | head -n 1";
  std::string path;
  wait_until("a driver of the guest for its device " + name + " (" + pattern + ")", 30s, [&] {
    path = console.run(look).output;
    return !path.empty();
  });
  return path;
}

}  // namespace usbloop::e2e
