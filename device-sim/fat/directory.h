#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "device-sim/fat/tree.h"

namespace usbloop::fat {

/// Clusters of a file or a directory, one behind the other.
struct Extent {
  std::uint32_t first = 0;  ///< 0: none
  std::uint32_t count = 0;
};

inline constexpr std::size_t kSlot = 32;          ///< bytes of a directory's entry
inline constexpr std::size_t kMostSlots = 65536;  ///< of a directory (FAT specification, section 6)

/// How many slots a directory takes: for the entries with their long names, and for itself and its parent, or the
/// volume's label in the root.
std::size_t slots_of(const Tree& tree, std::uint32_t directory);

/// The bytes of a directory, slots_of() slots. `extents` are those of all nodes, in their order; `label` is the
/// volume's, 11 characters.
std::vector<std::byte> directory_bytes(const Tree& tree, std::uint32_t directory, const std::vector<Extent>& extents,
                                       const std::string& label);

}  // namespace usbloop::fat
