#include "device-sim/input/key_strokes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "common/shown_text.h"

namespace usbloop::device_sim {
namespace {

constexpr std::uint8_t kShift = 2;
constexpr std::uint8_t kEnter = 0x28, kEscape = 0x29, kBackspace = 0x2a, kTab = 0x2b;

// The keys from 0x1e on, without and with shift. A space stands for a key that is none of a character.
constexpr std::string_view kPlain = "1234567890     -=[]\\ ;'`,./";
constexpr std::string_view kShifted = "!@#$%^&*()     _+{}| :\"~<>?";
constexpr std::uint8_t kFirstOfRow = 0x1e;

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 24> kNames = {
    {{"enter", kEnter}, {"escape", kEscape},  {"backspace", kBackspace},
     {"tab", kTab},     {"space", 0x2c},      {"capslock", 0x39},
     {"print", 0x46},   {"scrolllock", 0x47}, {"pause", 0x48},
     {"insert", 0x49},  {"home", 0x4a},       {"pageup", 0x4b},
     {"delete", 0x4c},  {"end", 0x4d},        {"pagedown", 0x4e},
     {"right", 0x4f},   {"left", 0x50},       {"down", 0x51},
     {"up", 0x52},      {"numlock", 0x53},    {"menu", 0x65},
     {"f10", 0x43},     {"f11", 0x44},        {"f12", 0x45}}};

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 4> kModifiers = {
    {{"ctrl-", 1}, {"shift-", kShift}, {"alt-", 4}, {"meta-", 8}}};

constexpr std::array<std::pair<std::string_view, std::uint16_t>, 16> kMediaNames = {{{"play", 0xcd},
                                                                                     {"stop", 0xb7},
                                                                                     {"next", 0xb5},
                                                                                     {"previous", 0xb6},
                                                                                     {"rewind", 0xb4},
                                                                                     {"fast-forward", 0xb3},
                                                                                     {"record", 0xb2},
                                                                                     {"eject", 0xb8},
                                                                                     {"mute", 0xe2},
                                                                                     {"volume-up", 0xe9},
                                                                                     {"volume-down", 0xea},
                                                                                     {"brightness-up", 0x6f},
                                                                                     {"brightness-down", 0x70},
                                                                                     {"mail", 0x18a},
                                                                                     {"calculator", 0x192},
                                                                                     {"search", 0x221}}};

std::optional<KeyStroke> stroke_of(char c) {
  if (c >= 'a' && c <= 'z') return KeyStroke{0, static_cast<std::uint8_t>(0x04 + (c - 'a'))};
  if (c >= 'A' && c <= 'Z') return KeyStroke{kShift, static_cast<std::uint8_t>(0x04 + (c - 'A'))};
  switch (c) {
    case ' ': return KeyStroke{0, 0x2c};
    case '\n': return KeyStroke{0, kEnter};
    case '\t': return KeyStroke{0, kTab};
    default: break;
  }
  if (const auto at = kPlain.find(c); at != std::string_view::npos)
    return KeyStroke{0, static_cast<std::uint8_t>(kFirstOfRow + at)};
  if (const auto at = kShifted.find(c); at != std::string_view::npos)
    return KeyStroke{kShift, static_cast<std::uint8_t>(kFirstOfRow + at)};
  return std::nullopt;
}

/// What stands between \{ and }.
std::optional<KeyStroke> named_stroke(std::string_view name) {
  for (const auto& [known, usage] : kMediaNames) {
    if (name == known) return KeyStroke{0, 0, usage};
  }
  std::uint8_t modifiers = 0;
  for (bool found = true; found;) {
    found = false;
    for (const auto& [prefix, bit] : kModifiers) {
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      modifiers |= bit;
      found = true;
    }
  }
  std::optional<KeyStroke> stroke;
  if (name.size() == 1) stroke = stroke_of(name[0]);
  if (name.size() == 2 && name[0] == 'f' && name[1] >= '1' && name[1] <= '9')
    stroke = KeyStroke{0, static_cast<std::uint8_t>(0x3a + (name[1] - '1'))};
  for (const auto& [known, usage] : kNames) {
    if (name == known) stroke = KeyStroke{0, usage};
  }
  if (stroke) stroke->modifiers |= modifiers;
  return stroke;
}

auto refuse_typing(std::string_view what, std::string cause) {
  return make_error(ErrorKind::invalid, "emulate", "'" + one_line(what, 64) + "'", std::move(cause),
                    "A text has printable ASCII, \\n, \\t, \\b, \\e, \\\\ and keys by name: \\{f1}, \\{up}, "
                    "\\{ctrl-alt-delete}.");
}

/// Takes the escape that `text` begins with.
Result<KeyStroke> escaped_stroke(std::string_view& text) {
  const std::string_view whole = text;
  const char c = text.size() > 1 ? text[1] : '\0';
  text.remove_prefix(std::min<std::size_t>(text.size(), 2));
  switch (c) {
    case 'n': return KeyStroke{0, kEnter};
    case 't': return KeyStroke{0, kTab};
    case 'b': return KeyStroke{0, kBackspace};
    case 'e': return KeyStroke{0, kEscape};
    case '\\': return *stroke_of('\\');
    case '{': break;
    default: return refuse_typing(whole.substr(0, 2), "there is no such escape in a text to type");
  }
  // From the second character on: a key's name may be a brace itself.
  const auto close = text.find('}', 1);
  if (close == std::string_view::npos) return refuse_typing(whole, "the key's name has no end");
  const auto stroke = named_stroke(text.substr(0, close));
  text.remove_prefix(close + 1);
  if (!stroke) return refuse_typing(whole.substr(0, close + 3), "there is no key of that name");
  return *stroke;
}

}  // namespace

Result<std::vector<KeyStroke>> key_strokes(std::string_view text) {
  if (text.size() > kLongestTyping)
    return refuse_typing(text, "it is longer than " + std::to_string(kLongestTyping) + " bytes");
  std::vector<KeyStroke> strokes;
  while (!text.empty()) {
    if (text[0] == '\\') {
      const auto stroke = escaped_stroke(text);
      if (!stroke) return tl::unexpected(stroke.error());
      strokes.push_back(*stroke);
      continue;
    }
    const auto stroke = stroke_of(text[0]);
    if (!stroke) return refuse_typing(text, "its first character is on no key of the keyboard");
    strokes.push_back(*stroke);
    text.remove_prefix(1);
  }
  return strokes;
}

Result<> check_strokes(const std::vector<KeyStroke>& strokes, bool has_media) {
  const bool asks = std::any_of(strokes.begin(), strokes.end(), [](const KeyStroke& each) { return each.media != 0; });
  if (!asks || has_media) return {};
  return make_error(ErrorKind::invalid, "emulate", "a media key", "the keyboard has none",
                    "Add media: keyboard,media, or media: true in a desk file.");
}

}  // namespace usbloop::device_sim
