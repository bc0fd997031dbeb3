#include "device-sim/serial/serial_spec.h"

#include <utility>

#include "device-sim/emulation/spec_options.h"
#include "device-sim/serial/echo.h"
#include "device-sim/serial/far_line.h"
#include "device-sim/serial/ftdi_adapter.h"
#include "device-sim/serial/serial_port.h"

namespace usbloop::device_sim {

namespace {

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
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read)
    return tl::unexpected(read.error());
  if (auto read = read_serial_number(spec, options.serial); !read) return tl::unexpected(read.error());
  auto far_end = make_far_end(spec);
  if (!far_end) return tl::unexpected(far_end.error());
  return std::make_unique<FtdiAdapter>(options, std::move(*far_end));
}

Result<std::unique_ptr<Device>> make_serial(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  SerialPortOptions options;
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read)
    return tl::unexpected(read.error());
  if (auto read = read_one_of_speeds(spec, usbredir::Speed::full, usbredir::Speed::high, options.speed); !read)
    return tl::unexpected(read.error());
  if (auto read = read_serial_number(spec, options.serial); !read) return tl::unexpected(read.error());
  auto far_end = make_far_end(spec);
  if (!far_end) return tl::unexpected(far_end.error());
  return std::make_unique<SerialPort>(options, std::move(*far_end));
}

}  // namespace usbloop::device_sim
