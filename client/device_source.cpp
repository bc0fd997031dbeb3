#include "client/device_source.h"

#include <utility>

#include "client/libusb_host.h"
#include "client/usb_device.h"
#include "device-sim/spec.h"

namespace usbloop::client {

namespace {

using HostPtr = std::unique_ptr<usbredir::HostEnd>;

/// Wraps what cannot be copied, because std::function must be copyable.
struct OpenedDevice {
  UsbContextPtr context;  // outlives the handle
  UsbHandlePtr handle;
  LocalDevice info;
};

Result<DeviceSource> open_local(const Selector& selector) {
  auto devices = UsbDevices::list();
  if (!devices) {
    const Error& error = devices.error();
    return make_error(error.kind, "find USB device", to_string(selector), error.cause, error.hint);
  }
  const auto index = choose_device(devices->all(), selector);
  if (!index) return tl::unexpected(index.error());
  auto handle = devices->open(*index);
  if (!handle) return tl::unexpected(handle.error());
  auto opened = std::make_shared<OpenedDevice>();
  opened->info = devices->all()[*index];
  opened->handle = std::move(*handle);
  opened->context = devices->take_context();
  return DeviceSource{[opened]() -> Result<HostPtr> {
    return make_libusb_host(std::move(opened->context), std::move(opened->handle), opened->info);
  }};
}

/// Opens the files behind the device, so that a missing one is told before the server is asked.
Result<DeviceSource> open_emulated(const std::string& spec) {
  auto host = device_sim::make_host_end(spec);
  if (!host) return tl::unexpected(host.error());
  const auto made = std::make_shared<HostPtr>(std::move(*host));
  return DeviceSource{[made]() -> Result<HostPtr> { return std::move(*made); }};
}

}  // namespace

Result<DeviceSource> open_device(const Options& options) {
  return options.emulate.empty() ? open_local(*options.selector) : open_emulated(options.emulate);
}

}  // namespace usbloop::client
