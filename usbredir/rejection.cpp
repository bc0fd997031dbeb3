#include "usbredir/rejection.h"

namespace usbloop::usbredir {

// usbredir has no room for a reason. QEMU writes it into its own log, which a person may have at hand.
Error rejection_of(const DeviceDescription& device) {
  return {
      ErrorKind::denied, "redirect", device.label(), "the virtual machine's side rejected the device",
      "It has " + to_string(device.speed) + " speed (" + megabits(device.speed) +
          " Mbit/s). Where QEMU's log says \"speed mismatch\", the virtual machine's USB controller has no port for "
          "that; qemu-xhci has ports for all speeds. Else a filter of its usb-redir device forbids the device, or "
          "the controller lacks something that it needs."};
}

}  // namespace usbloop::usbredir
