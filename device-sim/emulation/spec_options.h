#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "device-sim/emulation/spec.h"
#include "usbredir/host_end.h"

namespace usbloop::device_sim {

/// The value of an option; null when it is not given.
const std::string* option_of(const DeviceSpec& spec, const char* name);

/// The Error about an option of `spec` that makes no sense.
tl::unexpected<Error> refuse_option(const DeviceSpec& spec, std::string cause, std::string hint = {});

/// id=, `default_id`, or what `vendor` and `product` are before, in this order.
Result<> read_ids(const DeviceSpec& spec, std::optional<UsbId> default_id, std::uint16_t& vendor,
                  std::uint16_t& product);

/// speed=, of a device that has two of low, full and high; `speed` stays as it is when it is not given.
Result<> read_one_of_speeds(const DeviceSpec& spec, usbredir::Speed slower, usbredir::Speed faster,
                            usbredir::Speed& speed);

/// serial=; `serial` stays as it is when it is not given.
Result<> read_serial_number(const DeviceSpec& spec, std::string& serial);

/// What serial= may be.
Result<> check_serial(const DeviceSpec& spec, const std::string& serial);

}  // namespace usbloop::device_sim
