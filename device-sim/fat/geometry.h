#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace usbloop::fat {

inline constexpr std::uint32_t kSector = 512;      ///< bytes
inline constexpr std::uint32_t kFirstCluster = 2;  ///< the number of the first one
inline constexpr std::uint32_t kTables = 2;        ///< copies of the allocation table

/// Where the parts of a FAT32 file system are, in sectors: reserved ones, the tables, the clusters.
struct Geometry {
  std::uint32_t cluster_sectors = 0;
  std::uint32_t clusters = 0;  ///< all of them
  std::uint32_t used = 0;      ///< those from the first on that hold something
  std::uint32_t reserved = 0;
  std::uint32_t table_sectors = 0;  ///< of one table

  [[nodiscard]] std::uint32_t cluster_bytes() const { return cluster_sectors * kSector; }
  [[nodiscard]] std::uint64_t tables_at() const { return std::uint64_t{reserved} * kSector; }
  [[nodiscard]] std::uint64_t table_bytes() const { return std::uint64_t{table_sectors} * kSector; }
  [[nodiscard]] std::uint64_t clusters_at() const { return tables_at() + kTables * table_bytes(); }
  [[nodiscard]] std::uint64_t sectors() const {
    return reserved + std::uint64_t{kTables} * table_sectors + std::uint64_t{clusters} * cluster_sectors;
  }
};

/// `used` clusters of `cluster_sectors`, with as many more as make it FAT32 and some to spare. The clusters begin at a
/// multiple of their size.
Geometry lay_out(std::uint32_t used, std::uint32_t cluster_sectors);

/// The reserved sectors: the boot sector and the information sector, with their copies. `label` has 11 characters.
std::vector<std::byte> reserved_bytes(const Geometry& geometry, std::uint32_t root_cluster, std::uint32_t volume_id,
                                      const std::string& label);

}  // namespace usbloop::fat
