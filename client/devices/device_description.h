#pragma once

#include "client/devices/usb_device.h"
#include "usbredir/host_end.h"

namespace usbloop::client {

/// What a person is told about a local device. Asks the device itself for its strings where the system has none.
usbredir::DeviceDescription describe_device(libusb_device_handle* handle, const LocalDevice& info);

}  // namespace usbloop::client
