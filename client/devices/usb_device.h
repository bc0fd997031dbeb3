#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/devices/selector.h"
#include "client/devices/usb_class.h"
#include "client/devices/usb_platform.h"
#include "common/error.h"
#include "usbredir/host_end.h"

struct libusb_context;
struct libusb_device;
struct libusb_device_handle;

namespace usbloop::client {

struct UsbContextDeleter {
  void operator()(libusb_context* context) const;
};
struct UsbDeviceDeleter {
  void operator()(libusb_device* device) const;
};
struct UsbHandleDeleter {
  void operator()(libusb_device_handle* handle) const;
};

using UsbContextPtr = std::unique_ptr<libusb_context, UsbContextDeleter>;
using UsbDevicePtr = std::unique_ptr<libusb_device, UsbDeviceDeleter>;
using UsbHandlePtr = std::unique_ptr<libusb_device_handle, UsbHandleDeleter>;

/// A device of this machine, or of a desk of emulated ones, as it is described to a person.
struct LocalDevice {
  platform::Place place;
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
  bool hub = false;
  std::vector<InterfaceClass> classes;  ///< the device's own, or those of its interfaces in the active configuration
  usbredir::Speed speed = usbredir::Speed::high;
  std::string manufacturer;     ///< printable
  std::string product_name;     ///< printable
  std::string serial;           ///< as the device says it, not printable; empty: it has none, or nobody knows
  std::uint16_t version = 0;    ///< bcdDevice
  InterfaceClass device_class;  ///< the device's own
  std::vector<InterfaceClass> interfaces;  ///< of the active configuration, in their first settings

  // Of a device of a desk (client/desk_devices.h); the others leave them as they are.
  bool emulated = false;
  std::string desk_name = {};  ///< what the desk calls it
  std::string label = {};      ///< what lists call it; empty: as its ids say
  std::string holder = {};     ///< who has it, printable; empty: nobody
  std::uint64_t arrivals = 0;  ///< how often it has been plugged in

  /// `1-3`.
  [[nodiscard]] std::string bus_device() const;
  /// `1-2.3`: the bus, and the port of each hub down to the device; `usb1` for a root hub. As sysfs names the device.
  [[nodiscard]] std::string port_path() const;
  /// `0951:1666`.
  [[nodiscard]] std::string id() const;
  /// `1-3  0951:1666  Kingston DataTraveler 3.0  port=1-2  serial=60A44C`: with all that tells it from its twin.
  [[nodiscard]] std::string line() const;
};

/// The devices of this machine at one moment, sorted by place. Keeps libusb's references; use from one thread.
class UsbDevices {
 public:
  /// Waits up to five seconds for devices that are being reset: they have no address for that time.
  /// Errors: unavailable when the machine has no USB, or libusb's own.
  static Result<UsbDevices> list();

  [[nodiscard]] const std::vector<LocalDevice>& all() const { return infos_; }

  /// Opens device number `index` of all(). It stays with its kernel driver until it is claimed. Errors: denied (with
  /// the rule that would help), not_found (unplugged meanwhile).
  [[nodiscard]] Result<UsbHandlePtr> open(std::size_t index) const;

  /// The context must outlive every handle.
  [[nodiscard]] UsbContextPtr take_context() { return std::move(context_); }

 private:
  explicit UsbDevices(UsbContextPtr context) : context_(std::move(context)) {}

  static Result<UsbDevices> list_now();
  [[nodiscard]] bool any_in_reset() const;

  UsbContextPtr context_;  // declared first, so destroyed last
  std::vector<UsbDevicePtr> devices_;
  std::vector<LocalDevice> infos_;
};

/// The devices that `selector` means, as indices.
std::vector<std::size_t> matching_devices(const std::vector<LocalDevice>& devices, const Selector& selector);

/// Chooses the one device that `selector` means. Errors: not_found (with what is there), conflict (several: lists
/// them), invalid (a hub).
Result<std::size_t> choose_device(const std::vector<LocalDevice>& devices, const Selector& selector);

}  // namespace usbloop::client
