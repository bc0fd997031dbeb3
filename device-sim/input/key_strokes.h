#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace usbloop::device_sim {

/// One key that is pressed and released, with what is held down beside it.
struct KeyStroke {
  std::uint8_t modifiers = 0;  ///< bits of the boot keyboard's first byte: 1 ctrl, 2 shift, 4 alt, 8 meta, all left
  std::uint8_t usage = 0;      ///< of the page Keyboard/Keypad (HID Usage Tables, section 10)
  std::uint16_t media = 0;     ///< or of the page Consumer (section 15), with nothing beside it; 0: it is none

  bool operator==(const KeyStroke&) const = default;
};

/// The longest text that is taken, in bytes.
inline constexpr std::size_t kLongestTyping = std::size_t{64} << 10;

/// The strokes that type `text` on a keyboard with the layout of the United States. Printable ASCII stands for itself;
/// \n is Enter, \t Tab, \b Backspace, \e Escape, \\ a backslash, and \{NAME} any other key, behind ctrl-, shift-, alt-
/// or meta- where wanted: \{f1}, \{ctrl-c}, \{ctrl-alt-delete}. Media keys have names too: \{volume-up}. An Error
/// (kind invalid) names what cannot be typed.
Result<std::vector<KeyStroke>> key_strokes(std::string_view text);

/// An Error (kind invalid) where there are media keys and the keyboard has none.
Result<> check_strokes(const std::vector<KeyStroke>& strokes, bool has_media);

}  // namespace usbloop::device_sim
