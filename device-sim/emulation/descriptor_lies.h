#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "device-sim/emulation/descriptor_set.h"

namespace usbloop::device_sim {

/// A way in which descriptors are wrong, as they are in devices that people have met.
struct DescriptorLie {
  const char* name;
  const char* help;  ///< what is wrong, in a few words
  /// Makes sound descriptors wrong. False: these have nothing that it could change.
  bool (*apply)(DescriptorSet& descriptors);
};

const std::vector<DescriptorLie>& descriptor_lies();
/// Null when there is no lie of this name.
const DescriptorLie* find_lie(std::string_view name);
std::vector<std::string> lie_names();

}  // namespace usbloop::device_sim
