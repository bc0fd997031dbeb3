#include "common/shown_text.h"

#include <array>
#include <cstdint>

namespace usbloop {
namespace {

enum class Kind { good, steers, no_utf8 };

struct Character {
  std::size_t size;  ///< bytes
  Kind kind;
};

bool steers(std::uint32_t point) {
  const bool control = point < 0x20 || (point >= 0x7f && point <= 0x9f);
  const bool separator = point == 0x2028 || point == 0x2029;
  const bool direction = point == 0x061c || point == 0x200e || point == 0x200f ||
                         (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
  return control || separator || direction;
}

/// The character at the front of `text`, which is not empty (RFC 3629: no overlong forms, no surrogates).
Character front(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {1, steers(first) ? Kind::steers : Kind::good};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {1, Kind::no_utf8};
  std::uint32_t point = first & (0xffU >> (size + 1));
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0U) != 0x80) return {1, Kind::no_utf8};
    point = point << 6U | (byte(at) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kLeast.at(size) || point > 0x10ffff || surrogate) return {1, Kind::no_utf8};
  return {size, steers(point) ? Kind::steers : Kind::good};
}

std::string made_safe(std::string_view text, std::size_t most, bool keep_lines) {
  std::string result;
  while (!text.empty()) {
    const Character character = front(text);
    std::string_view piece = text.substr(0, character.size);
    text.remove_prefix(character.size);
    if (character.kind == Kind::no_utf8) {
      piece = "\xEF\xBF\xBD";
    } else if (piece == "\n" || piece == "\t") {
      if (!keep_lines || piece == "\t") piece = " ";
    } else if (character.kind == Kind::steers) {
      continue;
    }
    if (piece.size() > most - result.size()) break;
    result += piece;
  }
  return result;
}

}  // namespace

std::string one_line(std::string_view text, std::size_t most) {
  std::string line = made_safe(text, most, false);
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string shown_lines(std::string_view text) { return made_safe(text, std::string_view::npos, true); }

std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result;
  while (!text.empty()) {
    const Character character = front(text);
    for (const char c : text.substr(0, character.size)) {
      const auto byte = static_cast<unsigned char>(c);
      if (character.kind == Kind::good) {
        result += c;
      } else {
        for (const char part : {'\\', 'x', kHex[byte >> 4U], kHex[byte & 15U]}) result += part;
      }
    }
    text.remove_prefix(character.size);
  }
  return result;
}

}  // namespace usbloop
