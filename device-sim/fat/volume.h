#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "device-sim/fat/contents.h"
#include "device-sim/fat/directory.h"
#include "device-sim/fat/geometry.h"
#include "device-sim/fat/tree.h"

namespace usbloop::fat {

/// A directory of this machine as the bytes of a FAT32 file system without a partition table. Memory holds its
/// directories; the tables are computed and the files read when they are asked for. It shows the directory as it was
/// when it was made. Belongs to one thread.
class Volume {
 public:
  /// The Errors of read_tree(), and one for a directory with too many or too long names, or for more than 2 TiB.
  static Result<std::unique_ptr<Volume>> make(const std::string& directory);

  /// In bytes.
  [[nodiscard]] std::uint64_t size() const { return geometry_.sectors() * kSector; }
  /// Fills the whole of `into`, within size(). An Error of a file that has changed meanwhile.
  Result<> read(std::uint64_t offset, std::span<std::byte> into);

 private:
  struct Placed {
    Extent extent;
    std::uint32_t node = 0;
  };

  explicit Volume(Tree tree) : tree_(std::move(tree)), contents_(tree_) {}

  Result<> place();
  void write_directories();
  [[nodiscard]] const Placed* placed_at(std::uint32_t cluster) const;
  void read_table(std::uint64_t offset, std::span<std::byte> into) const;
  [[nodiscard]] std::uint32_t table_entry(std::uint32_t cluster) const;
  /// Reads from one cluster's extent, or zeros; gives how much.
  Result<std::size_t> read_cluster(std::uint64_t offset, std::span<std::byte> into);

  Tree tree_;
  Contents contents_;
  Geometry geometry_;
  std::vector<Extent> extents_;                      ///< by node
  std::vector<Placed> placed_;                       ///< by cluster
  std::vector<std::vector<std::byte>> directories_;  ///< by node; empty for a file
  std::vector<std::byte> reserved_;
};

}  // namespace usbloop::fat
