#include "device-sim/serial_spec.h"

#include "device-sim/serial_port.h"
#include "device-sim/spec_options.h"

namespace usbloop::device_sim {

Result<std::unique_ptr<Device>> make_serial(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  SerialPortOptions options;
  const auto id = read_id(spec, default_id, {options.vendor_id, options.product_id});
  if (!id) return tl::unexpected(id.error());
  options.vendor_id = id->vendor;
  options.product_id = id->product;
  if (const std::string* speed = option_of(spec, "speed")) {
    if (*speed != "full" && *speed != "high") {
      return refuse_option(spec, "speed=" + *speed + " is not a speed of this device",
                           "It is full (12 Mbit/s) or high (480).");
    }
    options.speed = *speed == "full" ? usbredir::Speed::full : usbredir::Speed::high;
  }
  if (const std::string* serial = option_of(spec, "serial")) {
    if (auto sound = check_serial(spec, *serial); !sound) return tl::unexpected(sound.error());
    options.serial = *serial;
  }
  return std::make_unique<SerialPort>(options);
}

}  // namespace usbloop::device_sim
