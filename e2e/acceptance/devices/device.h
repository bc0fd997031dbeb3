#pragma once

#include <memory>
#include <string>
#include <vector>

#include "e2e/acceptance/client_machine.h"

namespace usbloop::e2e {

/// Where a device stands in the guest that it is redirected to.
struct GuestPort {
  GuestConsole& console;
  std::string name;  ///< the kernel's: "1-1"

  /// The first path that a shell pattern finds below the device's directory in sysfs; waits for it.
  [[nodiscard]] std::string wait_path(const std::string& pattern) const;
};

/// A USB device that QEMU has, as hardware of the person's machine, and the way in which data go through it. Errors are
/// Failures.
class Device {
 public:
  virtual ~Device() = default;
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// QEMU arguments for what stands behind the device: an image, a line, a network. Relative paths start in `dir`.
  [[nodiscard]] virtual std::vector<std::string> backend(const std::filesystem::path& dir) {
    (void)dir;
    return {};
  }
  /// Plugs it in under the id. `port` says where, in QEMU's words: "bus=xhci.0,port=1".
  virtual void plug(ClientMachine& machine, const std::string& port, const std::string& id) = 0;
  /// Sends data through it that no other round has, and checks every byte. The guest's drivers do it wherever a shell
  /// can use them.
  virtual void exchange(ClientMachine& machine, const GuestPort& port, int round) = 0;
};

using DevicePtr = std::unique_ptr<Device>;

// usb_version: 1 makes QEMU's input devices full-speed, 2 high-speed.
DevicePtr make_keyboard(int usb_version);
DevicePtr make_mouse(int usb_version);
DevicePtr make_tablet(int usb_version);
/// One with Bulk-Only transport, one with UAS. `name` tells the sticks of a machine apart.
DevicePtr make_stick(const std::string& name);
DevicePtr make_uas_disk(const std::string& name);
DevicePtr make_serial_adapter();
DevicePtr make_smart_card_reader();
/// A device for media (MTP), such as a telephone or a camera. `name`: as above.
DevicePtr make_media_device(const std::string& name);
DevicePtr make_sound_device();
DevicePtr make_network_adapter();

}  // namespace usbloop::e2e
