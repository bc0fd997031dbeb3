#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "client/devices/device_list.h"
#include "client/devices/device_policy.h"
#include "client/devices/selector.h"
#include "client/devices/usb_device.h"
#include "common/error.h"

namespace usbloop::client {

/// Shows the devices with numbers and reads one of these. Nothing when the answer is none of them, or there is none.
std::optional<std::size_t> ask_number(const std::vector<std::string>& choices, std::istream& answers,
                                      std::ostream& questions);

/// Asks which of the devices that `selector` means is the one.
std::optional<Selector> ask_which(const std::vector<LocalDevice>& devices, const Selector& selector,
                                  std::istream& answers, std::ostream& questions);

/// Lists the devices that may be redirected and asks which ones: numbers, with spaces or commas between them. A wrong
/// answer is asked for again, three times at most. Errors: not_found (there are none), cancelled (no answer).
Result<std::vector<Selector>> pick_devices(const std::vector<ListedDevice>& devices, const DevicePolicy& policy,
                                           std::istream& answers, std::ostream& questions);

}  // namespace usbloop::client
