#pragma once

#include <string>
#include <vector>

#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// More devices than any VMI has slots for.
inline constexpr std::size_t kMostDevices = 16;

/// Gives the arguments that are no options their meaning: DEVICE... VMI, or list, or DEVICE with --give-back. The
/// options that are given with them have been read. Errors name what is missing or too much.
Result<> assign_positionals(const std::vector<std::string>& positionals, Options& options);

}  // namespace usbloop::client
