#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/error.h"
#include "common/fd.h"
#include "device-sim/fat/tree.h"

namespace usbloop::fat {

/// Reads the files of a tree; keeps the few that were read last open. Belongs to one thread.
class Contents {
 public:
  /// `tree` must outlive this object.
  explicit Contents(const Tree& tree) : tree_(tree) {}

  /// Fills the whole of `into`, within the file's size. An Error when the file is gone, has become shorter, or is
  /// another one than that of the tree.
  Result<> read(std::uint32_t node, std::uint64_t offset, std::span<std::byte> into);

 private:
  struct Open {
    std::uint32_t node = 0;
    Fd fd;
  };

  Result<int> open(std::uint32_t node);

  const Tree& tree_;
  std::array<Open, 8> open_;
  std::size_t oldest_ = 0;
};

}  // namespace usbloop::fat
