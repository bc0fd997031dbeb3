#pragma once

#include <functional>
#include <memory>

#include "client/devices/usb_device.h"
#include "common/error.h"

namespace usbloop::client {

/// Watches whether an open device leaves this machine: it is pulled out, or comes back from a reset as another device.
/// The system says so: the kernel hangs up the open handle, or udev reports the unplug, and libusb hears either. The
/// watch ignores what a reset changes for a moment (for about 0.1 s the device's number in sysfs is 0 and its drivers
/// let go): a guest resets a device several times while it takes it in, and the device is there all the time.
class UnplugWatch {
 public:
  /// `gone` is called at most once, from a thread that runs the context's events; it must neither block nor call
  /// libusb. Call this with the device open and before the context's events run for the first time. Errors: unavailable
  /// (this libusb reports no unplug; only a failed transfer tells), or libusb's own.
  static Result<std::unique_ptr<UnplugWatch>> start(libusb_context* context, libusb_device_handle* handle,
                                                    std::function<void()> gone);

  /// Destroy it when no thread runs the context's events any more, and before the context is closed.
  ~UnplugWatch();
  UnplugWatch(const UnplugWatch&) = delete;
  UnplugWatch& operator=(const UnplugWatch&) = delete;

 private:
  struct Watched;
  UnplugWatch(libusb_context* context, std::unique_ptr<Watched> watched);

  libusb_context* const context_;
  const std::unique_ptr<Watched> watched_;
};

}  // namespace usbloop::client
