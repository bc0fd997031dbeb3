#include "device-sim/fat/volume.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

namespace usbloop::fat {
namespace {

constexpr std::uint32_t kEndOfChain = 0x0fff'ffff;

auto too_much(const Tree& tree, std::string cause) {
  return make_error(ErrorKind::invalid, "show as a file system", tree.path, std::move(cause),
                    "Choose a directory with less in it.");
}

/// Eleven characters of the directory's name.
std::string label_of(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path canonical = std::filesystem::canonical(path, ignored);
  std::string label = canonical.filename().string();
  for (char& c : label)
    c = std::isalnum(static_cast<unsigned char>(c)) != 0 && c > 0
            ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
            : '_';
  if (label.empty()) label = "USBLOOP";
  label.resize(11, ' ');
  return label;
}

std::uint32_t volume_id_of(const std::string& path) {
  std::uint32_t hash = 0x811c9dc5;  // FNV-1a
  for (const char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash;
}

std::uint64_t clusters_for(std::uint64_t bytes, std::uint64_t cluster) { return (bytes + cluster - 1) / cluster; }

}  // namespace

Result<std::unique_ptr<Volume>> Volume::make(const std::string& directory) {
  auto tree = read_tree(directory);
  if (!tree) return tl::unexpected(tree.error());
  std::unique_ptr<Volume> volume(new Volume(std::move(*tree)));
  if (const auto placed = volume->place(); !placed) return tl::unexpected(placed.error());
  volume->write_directories();
  return volume;
}

/// Gives each node its clusters: the directories first, so that they are together.
Result<> Volume::place() {
  constexpr std::uint64_t kManyClusters = std::uint64_t{1} << 21;  // more make the tables long to read
  constexpr std::array<std::uint32_t, 4> kClusterSectors = {8, 16, 32, 64};
  std::vector<std::uint64_t> sizes(tree_.nodes.size());
  for (std::uint32_t i = 0; i < tree_.nodes.size(); ++i) {
    const Node& node = tree_.nodes[i];
    const std::size_t slots = node.is_directory ? slots_of(tree_, i) : 0;
    if (slots > kMostSlots)
      return too_much(tree_, "'" + tree_.path_of(i) + "' has more names than a directory of FAT32 holds");
    sizes[i] = node.is_directory ? slots * kSlot : node.size;
  }
  std::uint64_t used = 0;
  std::uint32_t cluster_sectors = 0;
  for (const std::uint32_t candidate : kClusterSectors) {
    cluster_sectors = candidate;
    used = 0;
    for (const std::uint64_t size : sizes) used += clusters_for(size, std::uint64_t{candidate} * kSector);
    if (used <= kManyClusters) break;
  }
  constexpr std::uint64_t kMostClusters = 0x03ff'0000;  // 2 TiB of the largest; what lay_out() adds does not overflow
  if (used > kMostClusters) return too_much(tree_, "it is more than the 2 TiB that FAT32 holds");
  geometry_ = lay_out(static_cast<std::uint32_t>(used), cluster_sectors);
  if (geometry_.sectors() > std::numeric_limits<std::uint32_t>::max()) {
    return too_much(tree_, "it is more than the 2 TiB that FAT32 holds");
  }
  extents_.resize(tree_.nodes.size());
  std::uint32_t next = kFirstCluster;
  for (const bool directories : {true, false}) {
    for (std::uint32_t i = 0; i < tree_.nodes.size(); ++i) {
      if (tree_.nodes[i].is_directory != directories || sizes[i] == 0) continue;
      extents_[i] = {next, static_cast<std::uint32_t>(clusters_for(sizes[i], geometry_.cluster_bytes()))};
      placed_.push_back({extents_[i], i});
      next += extents_[i].count;
    }
  }
  return {};
}

void Volume::write_directories() {
  const std::string label = label_of(tree_.path);
  directories_.resize(tree_.nodes.size());
  for (std::uint32_t i = 0; i < tree_.nodes.size(); ++i) {
    if (tree_.nodes[i].is_directory) directories_[i] = directory_bytes(tree_, i, extents_, label);
  }
  reserved_ = reserved_bytes(geometry_, extents_[0].first, volume_id_of(tree_.path), label);
}

const Volume::Placed* Volume::placed_at(std::uint32_t cluster) const {
  auto behind = std::upper_bound(placed_.begin(), placed_.end(), cluster,
                                 [](std::uint32_t at, const Placed& one) { return at < one.extent.first; });
  if (behind == placed_.begin()) return nullptr;
  const Placed& one = *--behind;
  return cluster - one.extent.first < one.extent.count ? &one : nullptr;
}

/// FAT specification, section 4: the next cluster of the chain; the first two entries say the kind of the medium.
std::uint32_t Volume::table_entry(std::uint32_t cluster) const {
  if (cluster == 0) return 0x0fff'fff8;
  if (cluster == 1) return kEndOfChain;
  const Placed* one = placed_at(cluster);
  if (one == nullptr) return 0;
  return cluster + 1 == one->extent.first + one->extent.count ? kEndOfChain : cluster + 1;
}

void Volume::read_table(std::uint64_t offset, std::span<std::byte> into) const {
  for (std::size_t i = 0; i < into.size();) {
    const auto cluster = static_cast<std::uint32_t>((offset + i) / 4);
    const std::uint32_t entry = table_entry(cluster);
    for (std::size_t byte = (offset + i) % 4; byte < 4 && i < into.size(); ++byte, ++i) {
      into[i] = static_cast<std::byte>(entry >> 8 * byte);
    }
  }
}

Result<std::size_t> Volume::read_cluster(std::uint64_t offset, std::span<std::byte> into) {
  const std::uint32_t cluster_bytes = geometry_.cluster_bytes();
  const auto cluster = static_cast<std::uint32_t>(offset / cluster_bytes) + kFirstCluster;
  const Placed* one = placed_at(cluster);
  if (one == nullptr) {
    const std::size_t part = std::min<std::uint64_t>(into.size(), cluster_bytes - offset % cluster_bytes);
    std::memset(into.data(), 0, part);
    return part;
  }
  const std::uint64_t at = offset - std::uint64_t{one->extent.first - kFirstCluster} * cluster_bytes;
  const auto part =
      into.first(std::min<std::uint64_t>(into.size(), std::uint64_t{one->extent.count} * cluster_bytes - at));
  const std::vector<std::byte>& directory = directories_[one->node];
  const std::uint64_t size = tree_.nodes[one->node].is_directory ? directory.size() : tree_.nodes[one->node].size;
  const auto content = part.first(at < size ? std::min<std::uint64_t>(part.size(), size - at) : 0);
  std::memset(part.data() + content.size(), 0, part.size() - content.size());
  if (content.empty()) return part.size();
  if (tree_.nodes[one->node].is_directory) {
    std::memcpy(content.data(), directory.data() + at, content.size());
  } else if (const auto read = contents_.read(one->node, at, content); !read) {
    return tl::unexpected(read.error());
  }
  return part.size();
}

Result<> Volume::read(std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    std::size_t part = 0;
    if (offset < geometry_.tables_at()) {
      part = std::min<std::uint64_t>(into.size(), geometry_.tables_at() - offset);
      std::memcpy(into.data(), reserved_.data() + offset, part);
    } else if (offset < geometry_.clusters_at()) {
      const std::uint64_t at = (offset - geometry_.tables_at()) % geometry_.table_bytes();
      part = std::min<std::uint64_t>(into.size(), geometry_.table_bytes() - at);
      read_table(at, into.first(part));
    } else {
      const auto done = read_cluster(offset - geometry_.clusters_at(), into);
      if (!done) return tl::unexpected(done.error());
      part = *done;
    }
    into = into.subspan(part);
    offset += part;
  }
  return {};
}

}  // namespace usbloop::fat
