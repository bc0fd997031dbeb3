#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device-sim/camera/picture_controls.h"

namespace usbloop::device_sim {

/// Draws the pictures of an emulated camera, YUYV (YUY2): colour bars, a white bar that moves, the picture's number in
/// digits for people, and at the top a strip for programs. The strip has three lines of 32 squares of 8x8 pixels, the
/// highest bit first, white for 1 and black for 0: the picture's number; milliseconds since the stream began; and the
/// checksum of all that is below the strip: FNV-1a (32 bits) over the little-endian words of 32 bits.
class TestPattern {
 public:
  static constexpr std::uint16_t kSquare = 8, kStripHeight = 3 * kSquare;

  /// In pixels: at least 256 wide and 128 high, and even.
  TestPattern(std::uint16_t width, std::uint16_t height);

  /// Draws into `picture`, of width * height * 2 bytes. The tone changes what is below the strip.
  void draw(std::uint32_t number, std::uint32_t milliseconds, const Tone& tone, std::span<std::byte> picture);

 private:
  void paint_background();
  [[nodiscard]] std::span<std::byte> row(std::span<std::byte> picture, std::size_t y) const;
  void fill(std::span<std::byte> picture, std::size_t x, std::size_t y, std::size_t width, std::size_t height,
            std::uint32_t colour) const;
  void draw_word(std::span<std::byte> picture, std::size_t line, std::uint32_t word) const;
  void draw_digit(std::span<std::byte> picture, std::size_t x, std::size_t y, std::uint32_t digit) const;
  [[nodiscard]] std::size_t digits_top() const;

  std::size_t width_;
  std::size_t height_;
  Tone tone_;                          ///< of the background
  std::uint32_t white_ = 0;            ///< of the digits and the moving bar, in that tone
  std::vector<std::byte> background_;  ///< all that does not move
  std::uint32_t still_sum_ = 0;        ///< the checksum from below the strip to the digits, above which nothing moves
};

}  // namespace usbloop::device_sim
