#include "device-sim/fat/names.h"

#include <locale.h>

#include <algorithm>
#include <clocale>
#include <cwctype>
#include <memory>

namespace usbloop::fat {
namespace {

constexpr std::size_t kLongest = 255;  // units of UTF-16
constexpr std::size_t kBase = 8, kExtension = 3;

/// The code point at the beginning of `text`, which loses it; nothing when there is none.
std::optional<char32_t> take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return std::nullopt;
  char32_t point = size == 1 ? lead : lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return std::nullopt;
    point = point << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast.at(size) || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return std::nullopt;
  text.remove_prefix(size);
  return point;
}

/// What a short name has for a character; 0 for nothing.
char short_character(char32_t point) {
  if (point == ' ' || point == '.') return 0;
  if (point >= 'a' && point <= 'z') return static_cast<char>(point - 'a' + 'A');
  const bool plain =
      (point >= 'A' && point <= 'Z') || (point >= '0' && point <= '9') ||
      (point < 0x80 && std::string_view("$%'-_@~`!(){}^#&").find(static_cast<char>(point)) != std::string_view::npos);
  return plain ? static_cast<char>(point) : '_';
}

struct Reduced {
  std::string text;
  bool is_lossy = false;  ///< more than the case is different
};

Reduced reduce(std::string_view part, std::size_t longest) {
  Reduced result;
  while (!part.empty()) {
    const auto point = take_code_point(part);
    if (!point) break;
    const char character = short_character(*point);
    result.is_lossy |= character == 0 || (character == '_' && *point != '_');
    if (character != 0) result.text += character;
  }
  result.is_lossy |= result.text.size() > longest;
  result.text.resize(std::min(result.text.size(), longest));
  return result;
}

struct Parts {
  Reduced base;
  Reduced extension;
  [[nodiscard]] bool is_lossy() const { return base.is_lossy || extension.is_lossy || base.text.empty(); }
};

/// The extension stands behind the last dot, unless that is one of those that the name begins with.
Parts parts_of(std::string_view name) {
  const std::size_t first = name.find_first_not_of('.');
  const std::size_t dot = name.rfind('.');
  const bool has_extension = dot != std::string_view::npos && first != std::string_view::npos && dot > first;
  return {reduce(has_extension ? name.substr(0, dot) : name, kBase),
          reduce(has_extension ? name.substr(dot + 1) : "", kExtension)};
}

ShortName join(const std::string& base, const std::string& extension) {
  ShortName name;
  name.fill(' ');
  std::copy(base.begin(), base.end(), name.begin());
  std::copy(extension.begin(), extension.end(), name.begin() + kBase);
  return name;
}

/// Upper case of all scripts, whatever the program's own locale; null where the C library has no such locale.
locale_t unicode_locale() {
  struct Owner {
    locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    ~Owner() {
      if (locale != nullptr) ::freelocale(locale);
    }
  };
  static const Owner kOwner;
  return kOwner.locale;
}

}  // namespace

std::optional<std::u16string> to_utf16(std::string_view name) {
  std::u16string units;
  while (!name.empty()) {
    const auto point = take_code_point(name);
    if (!point) return std::nullopt;
    if (*point < 0x10000) {
      units += static_cast<char16_t>(*point);
    } else {
      units += static_cast<char16_t>(0xd800 + ((*point - 0x10000) >> 10));
      units += static_cast<char16_t>(0xdc00 + ((*point - 0x10000) & 0x3ff));
    }
  }
  return units;
}

std::string why_unfit(std::string_view name) {
  const auto units = to_utf16(name);
  if (!units) return "its name is not UTF-8";
  if (units->size() > kLongest) return "its name is longer than 255 characters";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return "its name has a control character";
    if (std::string_view("\"*/:<>?\\|").find(c) != std::string_view::npos) return std::string("its name has a ") + c;
  }
  if (name.empty() || name.back() == '.' || name.back() == ' ') return "its name ends with a dot or a space";
  return "";
}

std::u16string folded(const std::u16string& name) {
  std::u16string result = name;
  const locale_t locale = unicode_locale();
  for (char16_t& unit : result) {
    const std::wint_t upper = locale != nullptr ? ::towupper_l(unit, locale) : std::towupper(unit);
    if (upper < 0x10000) unit = static_cast<char16_t>(upper);
  }
  return result;
}

std::uint8_t checksum(const ShortName& name) {
  std::uint8_t sum = 0;
  for (const char c : name) sum = static_cast<std::uint8_t>((sum >> 1 | sum << 7) + static_cast<unsigned char>(c));
  return sum;
}

void ShortNames::announce(std::string_view name) {
  const Parts parts = parts_of(name);
  if (!parts.is_lossy()) given_.insert(join(parts.base.text, parts.extension.text));
}

ShortName ShortNames::give(std::string_view name) {
  const Parts parts = parts_of(name);
  const std::string& base = parts.base.text;
  if (!parts.is_lossy()) return join(base, parts.extension.text);
  while (true) {
    // The number that comes next for these six characters; a longer one leaves less of the name.
    const std::string front = base.substr(0, kBase - 2);
    const std::string tail = "~" + std::to_string(++tails_[front + '.' + parts.extension.text]);
    const ShortName tried = join(base.substr(0, kBase - tail.size()) + tail, parts.extension.text);
    if (given_.insert(tried).second) return tried;
  }
}

bool says_all(const ShortName& given, std::string_view name) {
  std::string shown(given.begin(), given.begin() + kBase);
  shown.erase(shown.find_last_not_of(' ') + 1);
  std::string extension(given.begin() + kBase, given.end());
  extension.erase(extension.find_last_not_of(' ') + 1);
  if (!extension.empty()) shown += '.' + extension;
  return shown == name;
}

}  // namespace usbloop::fat
