#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace usbloop::fat {

/// A name of eight characters and an extension of three, padded with spaces, without the dot between them.
using ShortName = std::array<char, 11>;

/// UTF-16; nothing when `name` is not UTF-8.
std::optional<std::u16string> to_utf16(std::string_view name);

/// Why a FAT file system cannot hold a name; empty when it can. Those are the rules of long names, 255 units of UTF-16
/// at most, with what Windows would not open beside them: a dot or a space at the end.
std::string why_unfit(std::string_view name);

/// What is equal for names that differ in case alone, which a FAT file system takes for one.
std::u16string folded(const std::u16string& name);

/// Sum of a short name that its long name carries (FAT specification, section 7).
std::uint8_t checksum(const ShortName& name);

/// The short names of one directory: each is given once.
class ShortNames {
 public:
  /// `name`, which is fit (why_unfit), is going to ask for its short name. Comes for all before the first give(): a
  /// name that is short already keeps it, whoever asks first.
  void announce(std::string_view name);
  /// Others get `~1` and so on.
  ShortName give(std::string_view name);

 private:
  std::set<ShortName> given_;
  std::map<std::string, std::uint32_t> tails_;  ///< the last number behind `~`, by what stands before it
};

/// Whether the short name says all: the name is upper case and ASCII, and needs no long one.
bool says_all(const ShortName& given, std::string_view name);

}  // namespace usbloop::fat
