#include "device-sim/fat/geometry.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

namespace usbloop::fat {
namespace {

constexpr std::uint32_t kLeastReserved = 32;
constexpr std::uint32_t kInformationSector = 1, kCopiesSector = 6;
constexpr std::uint8_t kFixedMedium = 0xf8;

void put(std::span<std::byte> sector, std::size_t at, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) sector[at + i] = static_cast<std::byte>(value >> 8 * i);
}

void put_text(std::span<std::byte> sector, std::size_t at, std::string_view text) {
  std::memcpy(sector.data() + at, text.data(), text.size());
}

/// FAT specification, section 3: the fields of all FAT file systems, then those of FAT32.
void write_boot_sector(std::span<std::byte> sector, const Geometry& geometry, std::uint32_t root_cluster,
                       std::uint32_t volume_id, const std::string& label) {
  put_text(sector, 0, std::string_view("\xeb\x58\x90USBLOOP ", 11));
  put(sector, 11, kSector, 2);
  put(sector, 13, geometry.cluster_sectors, 1);
  put(sector, 14, geometry.reserved, 2);
  put(sector, 16, kTables, 1);
  put(sector, 21, kFixedMedium, 1);
  put(sector, 24, 32, 2);  // a geometry of tracks and heads that nobody uses
  put(sector, 26, 64, 2);
  put(sector, 32, static_cast<std::uint32_t>(geometry.sectors()), 4);
  put(sector, 36, geometry.table_sectors, 4);
  put(sector, 44, root_cluster, 4);
  put(sector, 48, kInformationSector, 2);
  put(sector, 50, kCopiesSector, 2);
  put(sector, 64, 0x80, 1);  // drive
  put(sector, 66, 0x29, 1);  // the three fields that follow are there
  put(sector, 67, volume_id, 4);
  put_text(sector, 71, label);
  put_text(sector, 82, "FAT32   ");
  put(sector, 90, 0xfeeb, 2);  // who boots it stands still: a jump to itself
  put(sector, 510, 0xaa55, 2);
}

/// FAT specification, section 5.
void write_information_sector(std::span<std::byte> sector, const Geometry& geometry) {
  put(sector, 0, 0x41615252, 4);
  put(sector, 484, 0x61417272, 4);
  put(sector, 488, geometry.clusters - geometry.used, 4);
  put(sector, 492, kFirstCluster + geometry.used, 4);  // where to look for a free one
  put(sector, 508, 0xaa550000, 4);
}

}  // namespace

Geometry lay_out(std::uint32_t used, std::uint32_t cluster_sectors) {
  // Fewer than 65525 are FAT16; some more, for readers that count differently (FAT specification, section 3.5).
  constexpr std::uint32_t kFewest = 65536 + 64, kSpare = 16384, kEntry = 4;
  Geometry geometry;
  geometry.cluster_sectors = cluster_sectors;
  geometry.used = used;
  geometry.clusters = std::max(used + kSpare, kFewest);
  geometry.table_sectors = ((geometry.clusters + kFirstCluster) * kEntry + kSector - 1) / kSector;
  const std::uint32_t before = kLeastReserved + kTables * geometry.table_sectors;
  geometry.reserved = kLeastReserved + (cluster_sectors - before % cluster_sectors) % cluster_sectors;
  return geometry;
}

std::vector<std::byte> reserved_bytes(const Geometry& geometry, std::uint32_t root_cluster, std::uint32_t volume_id,
                                      const std::string& label) {
  std::vector<std::byte> bytes(geometry.tables_at());
  const auto sector = [&](std::uint32_t index) {
    return std::span(bytes).subspan(std::size_t{index} * kSector, kSector);
  };
  for (const std::uint32_t first : {0U, kCopiesSector}) {
    write_boot_sector(sector(first), geometry, root_cluster, volume_id, label);
    write_information_sector(sector(first + kInformationSector), geometry);
  }
  return bytes;
}

}  // namespace usbloop::fat
