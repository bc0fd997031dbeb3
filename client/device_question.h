#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "client/selector.h"
#include "client/usb_device.h"

namespace usbloop::client {

/// Shows the devices with numbers and reads one of these. Nothing when the answer is none of them, or there is none.
std::optional<std::size_t> ask_number(const std::vector<std::string>& choices, std::istream& answers,
                                      std::ostream& questions);

/// Asks which of the devices that `selector` means is the one.
std::optional<Selector> ask_which(const Selector& selector, std::istream& answers, std::ostream& questions);

}  // namespace usbloop::client
