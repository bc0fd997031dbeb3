#pragma once

#include <cstddef>

namespace usbloop {

/// Raises the soft limit of descriptors, often 1024, to what this process and its children may have, and returns it.
/// Every session costs descriptors. No thread may be at work yet.
std::size_t raise_descriptor_limit();

}  // namespace usbloop
