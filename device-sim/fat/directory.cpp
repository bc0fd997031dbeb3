#include "device-sim/fat/directory.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "device-sim/fat/names.h"

// Entries of directories (FAT specification, sections 6 and 7).
namespace usbloop::fat {
namespace {

constexpr std::uint8_t kVolumeLabel = 0x08, kIsDirectory = 0x10, kArchive = 0x20, kLongName = 0x0f, kLastPart = 0x40;
constexpr std::size_t kUnitsOfSlot = 13;

/// A slot as it is filled, from its beginning.
class Slot {
 public:
  explicit Slot(std::vector<std::byte>& bytes) : bytes_(bytes) {}

  Slot& number(std::uint32_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>(value >> 8 * i));
    return *this;
  }
  Slot& text(const ShortName& name) {
    for (const char c : name) bytes_.push_back(static_cast<std::byte>(c));
    return *this;
  }

 private:
  std::vector<std::byte>& bytes_;
};

struct Stamp {
  std::uint16_t date = 0;
  std::uint16_t time = 0;
};

/// In UTC, which is what Linux takes it for; from 1980 to 2107.
Stamp stamp_of(std::time_t seconds) {
  constexpr std::time_t kFirst = 315532800, kLast = 4354819198;
  const std::time_t bounded = std::clamp(seconds, kFirst, kLast);
  std::tm parts{};
  ::gmtime_r(&bounded, &parts);
  return {static_cast<std::uint16_t>((parts.tm_year - 80) << 9 | (parts.tm_mon + 1) << 5 | parts.tm_mday),
          static_cast<std::uint16_t>(parts.tm_hour << 11 | parts.tm_min << 5 | parts.tm_sec / 2)};
}

void add_entry(std::vector<std::byte>& bytes, const ShortName& name, std::uint8_t attributes, std::time_t modified,
               std::uint32_t cluster, std::uint32_t size) {
  const Stamp stamp = stamp_of(modified);
  Slot slot(bytes);
  slot.text(name).number(attributes, 1).number(0, 2);
  slot.number(stamp.time, 2).number(stamp.date, 2).number(stamp.date, 2).number(cluster >> 16, 2);
  slot.number(stamp.time, 2).number(stamp.date, 2).number(cluster & 0xffff, 2).number(size, 4);
}

std::size_t long_slots(const std::u16string& name) { return (name.size() + kUnitsOfSlot - 1) / kUnitsOfSlot; }

/// The last part comes first; the first units that are not used are 0, the others all ones.
void add_long_name(std::vector<std::byte>& bytes, const std::u16string& name, std::uint8_t sum) {
  const std::size_t parts = long_slots(name);
  for (std::size_t part = parts; part-- > 0;) {
    const auto unit = [&](std::size_t at) -> std::uint32_t {
      const std::size_t index = part * kUnitsOfSlot + at;
      return index < name.size() ? name[index] : index == name.size() ? 0 : 0xffff;
    };
    Slot slot(bytes);
    slot.number(static_cast<std::uint32_t>(part + 1) | (part + 1 == parts ? kLastPart : 0), 1);
    for (std::size_t i = 0; i < 5; ++i) slot.number(unit(i), 2);
    slot.number(kLongName, 1).number(0, 1).number(sum, 1);
    for (std::size_t i = 5; i < 11; ++i) slot.number(unit(i), 2);
    slot.number(0, 2);
    for (std::size_t i = 11; i < kUnitsOfSlot; ++i) slot.number(unit(i), 2);
  }
}

ShortName padded(const std::string& text) {
  ShortName name;
  name.fill(' ');
  std::copy_n(text.begin(), std::min(text.size(), name.size()), name.begin());
  return name;
}

/// Calls `visit` with each entry's node, short name, and long name, which is empty where none is needed.
template <typename Visit>
void for_each_entry(const Tree& tree, std::uint32_t directory, const Visit& visit) {
  ShortNames names;
  const Node& node = tree.nodes[directory];
  for (std::uint32_t i = 0; i < node.children; ++i) names.announce(tree.nodes[node.first_child + i].name);
  for (std::uint32_t i = node.first_child; i < node.first_child + node.children; ++i) {
    const std::string& name = tree.nodes[i].name;
    const ShortName given = names.give(name);
    visit(i, given, says_all(given, name) ? std::u16string() : to_utf16(name).value_or(u""));
  }
}

}  // namespace

std::size_t slots_of(const Tree& tree, std::uint32_t directory) {
  std::size_t slots = directory == 0 ? 1 : 2;
  for_each_entry(tree, directory, [&](std::uint32_t, const ShortName&, const std::u16string& long_name) {
    slots += 1 + long_slots(long_name);
  });
  return slots;
}

std::vector<std::byte> directory_bytes(const Tree& tree, std::uint32_t directory, const std::vector<Extent>& extents,
                                       const std::string& label) {
  std::vector<std::byte> bytes;
  const Node& node = tree.nodes[directory];
  if (directory == 0) {
    add_entry(bytes, padded(label), kVolumeLabel, node.modified, 0, 0);
  } else {
    // The root is cluster 0 here, wherever it is.
    const std::uint32_t above = node.parent == 0 ? 0 : extents[node.parent].first;
    add_entry(bytes, padded("."), kIsDirectory, node.modified, extents[directory].first, 0);
    add_entry(bytes, padded(".."), kIsDirectory, tree.nodes[node.parent].modified, above, 0);
  }
  for_each_entry(tree, directory, [&](std::uint32_t i, const ShortName& given, const std::u16string& long_name) {
    add_long_name(bytes, long_name, checksum(given));
    const Node& child = tree.nodes[i];
    add_entry(bytes, given, child.is_directory ? kIsDirectory : kArchive, child.modified, extents[i].first,
              static_cast<std::uint32_t>(child.size));
  });
  return bytes;
}

}  // namespace usbloop::fat
