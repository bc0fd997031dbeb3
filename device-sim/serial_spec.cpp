#include "device-sim/serial_spec.h"

#include <utility>

#include "device-sim/echo.h"
#include "device-sim/far_line.h"
#include "device-sim/ftdi_adapter.h"
#include "device-sim/serial_port.h"
#include "device-sim/spec_options.h"

namespace usbloop::device_sim {

namespace {

/// serial=, where it is given.
Result<> read_serial_number(const DeviceSpec& spec, std::string& number) {
  const std::string* text = option_of(spec, "serial");
  if (text == nullptr) return {};
  if (auto sound = check_serial(spec, *text); !sound) return sound;
  number = *text;
  return {};
}

/// What to=, pty= or command= say; without them an echo.
Result<std::unique_ptr<FarEnd>> make_far_end(const DeviceSpec& spec) {
  Result<std::unique_ptr<FarEnd>> (*make)(const std::string&) = nullptr;
  const std::string* what = nullptr;
  for (const auto& [name, maker] : {std::pair("to", &FarLine::connect), std::pair("pty", &FarLine::pseudoterminal),
                                    std::pair("command", &FarLine::command)}) {
    const std::string* value = option_of(spec, name);
    if (value == nullptr) continue;
    if (make != nullptr)
      return refuse_option(spec, "to=, pty= and command= say where the line goes: it has one other end");
    make = maker;
    what = value;
  }
  if (make == nullptr) return std::make_unique<Echo>();
  return make(*what);
}

}  // namespace

Result<std::unique_ptr<Device>> make_ftdi(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  FtdiAdapterOptions options;
  const auto id = read_id(spec, default_id, {options.vendor_id, options.product_id});
  if (!id) return tl::unexpected(id.error());
  options.vendor_id = id->vendor;
  options.product_id = id->product;
  if (auto read = read_serial_number(spec, options.serial); !read) return tl::unexpected(read.error());
  auto far_end = make_far_end(spec);
  if (!far_end) return tl::unexpected(far_end.error());
  return std::make_unique<FtdiAdapter>(options, std::move(*far_end));
}

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
  if (auto read = read_serial_number(spec, options.serial); !read) return tl::unexpected(read.error());
  auto far_end = make_far_end(spec);
  if (!far_end) return tl::unexpected(far_end.error());
  return std::make_unique<SerialPort>(options, std::move(*far_end));
}

}  // namespace usbloop::device_sim
