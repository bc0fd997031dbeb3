#pragma once

#include <optional>
#include <string>

#include "device-sim/spec.h"

namespace usbloop::device_sim {

/// The value of an option; null when it is not given.
const std::string* option_of(const DeviceSpec& spec, const char* name);

/// The Error about an option of `spec` that makes no sense.
tl::unexpected<Error> refuse_option(const DeviceSpec& spec, std::string cause, std::string hint = {});

/// id=, `default_id`, or `own`, in this order.
Result<UsbId> read_id(const DeviceSpec& spec, std::optional<UsbId> default_id, UsbId own);

/// What serial= may be.
Result<> check_serial(const DeviceSpec& spec, const std::string& serial);

}  // namespace usbloop::device_sim
