#pragma once

#include <cstddef>

namespace usbloop {

/// Raises the soft limit of descriptors, often 1024, to what this process and its children may have, and returns it.
/// Every session costs descriptors. From any thread; for all of the process.
std::size_t raise_descriptor_limit();

}  // namespace usbloop
