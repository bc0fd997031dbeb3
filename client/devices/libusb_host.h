#pragma once

#include <memory>

#include "client/devices/usb_device.h"
#include "usbredir/host_end.h"

namespace usbloop::client {

/// Takes the device from its kernel driver and makes it the usb-host end of a redirection. `context` is the one the
/// handle was opened with. The device goes back to its driver in disconnect(), at an unplug, and at the latest in the
/// destructor; all three may take as long as a reset of the device. If this process is killed, a guard process gives it
/// back. Errors: conflict (another program uses the device).
Result<std::unique_ptr<usbredir::HostEnd>> make_libusb_host(UsbContextPtr context, UsbHandlePtr handle,
                                                            const LocalDevice& info);

}  // namespace usbloop::client
