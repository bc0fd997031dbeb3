#pragma once

#include <yaml-cpp/yaml.h>

#include "common/error.h"
#include "device-sim/desk/desk_file.h"

namespace usbloop::desk {

/// Reads one device of a desk file. What it does not say of its place is empty or 0. The error has line, device and
/// what is wrong in its cause, and the cure in its hint. Throws what yaml-cpp throws.
Result<DeskEntry> read_entry(const YAML::Node& node);

}  // namespace usbloop::desk
