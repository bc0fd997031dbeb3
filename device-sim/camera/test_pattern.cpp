#include "device-sim/camera/test_pattern.h"

#include <array>
#include <cstring>

namespace usbloop::device_sim {
namespace {

/// Two pixels of one colour: Y U Y V, the first in the lowest byte. BT.601, studio range.
constexpr std::uint32_t yuyv(std::uint32_t y, std::uint32_t u, std::uint32_t v) {
  return y | u << 8 | y << 16 | v << 24;
}

constexpr std::uint32_t kBlack = yuyv(16, 128, 128), kWhite = yuyv(235, 128, 128);
// White, yellow, cyan, green, magenta, red, blue, black, at 75 %.
constexpr std::array<std::uint32_t, 8> kBars = {yuyv(180, 128, 128), yuyv(162, 44, 142), yuyv(131, 156, 44),
                                                yuyv(112, 72, 58),   yuyv(84, 184, 198), yuyv(65, 100, 212),
                                                yuyv(35, 212, 114),  yuyv(16, 128, 128)};

constexpr std::size_t kDigits = 6, kDigitWidth = 16, kDigitHeight = 28, kStroke = 4, kDigitStep = 24;

// Segments of a digit, from the lowest bit: top, upper right, lower right, bottom, lower left, upper left, middle.
constexpr std::array<std::uint8_t, 10> kSegments = {0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f};

constexpr std::uint32_t kNoWords = 0x811c9dc5;

/// Goes on from the sum of what stands before `bytes`.
std::uint32_t checksum(std::uint32_t sum, std::span<const std::byte> bytes) {
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t word = 0;
    for (unsigned i = 0; i < 4; ++i) word |= std::to_integer<std::uint32_t>(bytes[at + i]) << 8 * i;
    sum = (sum ^ word) * 0x01000193;
  }
  return sum;
}

}  // namespace

TestPattern::TestPattern(std::uint16_t width, std::uint16_t height)
    : width_(width), height_(height), background_(std::size_t{width} * height * 2) {
  paint_background();
}

std::size_t TestPattern::digits_top() const { return (height_ - kDigitHeight) / 2; }

void TestPattern::paint_background() {
  const auto luma = luma_of(tone_);
  const auto toned = [&](std::uint32_t colour) {
    const auto y = std::to_integer<std::uint32_t>(luma.at(colour & 0xff));
    return (colour & 0xff00ff00) | y | y << 16;
  };
  white_ = toned(kWhite);
  const std::size_t bar = width_ / kBars.size();
  for (std::size_t i = 0; i < kBars.size(); ++i) fill(background_, i * bar, 0, bar, height_, toned(kBars[i]));
  const std::size_t margin = kStroke;
  fill(background_, (width_ - kDigits * kDigitStep) / 2 - margin, digits_top() - margin,
       kDigits * kDigitStep - (kDigitStep - kDigitWidth) + 2 * margin, kDigitHeight + 2 * margin, toned(kBlack));
  const std::span<const std::byte> above = std::span(background_).first(digits_top() * width_ * 2);
  still_sum_ = checksum(kNoWords, above.subspan(width_ * 2 * kStripHeight));
}

std::span<std::byte> TestPattern::row(std::span<std::byte> picture, std::size_t y) const {
  return picture.subspan(y * width_ * 2, width_ * 2);
}

/// `x` and `width` are even.
void TestPattern::fill(std::span<std::byte> picture, std::size_t x, std::size_t y, std::size_t width,
                       std::size_t height, std::uint32_t colour) const {
  for (std::size_t line = y; line < y + height; ++line) {
    const auto pixels = row(picture, line).subspan(x * 2, width * 2);
    for (std::size_t at = 0; at < pixels.size(); ++at) pixels[at] = static_cast<std::byte>(colour >> 8 * (at % 4));
  }
}

void TestPattern::draw_word(std::span<std::byte> picture, std::size_t line, std::uint32_t word) const {
  for (std::size_t bit = 0; bit < 32; ++bit) {
    const bool is_set = (word >> (31 - bit) & 1) != 0;
    fill(picture, bit * kSquare, line * kSquare, kSquare, kSquare, is_set ? kWhite : kBlack);
  }
}

void TestPattern::draw_digit(std::span<std::byte> picture, std::size_t x, std::size_t y, std::uint32_t digit) const {
  constexpr std::size_t kMiddle = (kDigitHeight - kStroke) / 2, kRight = kDigitWidth - kStroke;
  struct Bar {
    std::size_t x, y, width, height;
  };
  constexpr std::array<Bar, 7> kShapes = {{{0, 0, kDigitWidth, kStroke},
                                           {kRight, 0, kStroke, kDigitHeight / 2},
                                           {kRight, kDigitHeight / 2, kStroke, kDigitHeight / 2},
                                           {0, kDigitHeight - kStroke, kDigitWidth, kStroke},
                                           {0, kDigitHeight / 2, kStroke, kDigitHeight / 2},
                                           {0, 0, kStroke, kDigitHeight / 2},
                                           {0, kMiddle, kDigitWidth, kStroke}}};
  for (std::size_t i = 0; i < kShapes.size(); ++i) {
    const Bar& bar = kShapes[i];
    if ((kSegments[digit] >> i & 1) != 0) fill(picture, x + bar.x, y + bar.y, bar.width, bar.height, white_);
  }
}

void TestPattern::draw(std::uint32_t number, std::uint32_t milliseconds, const Tone& tone,
                       std::span<std::byte> picture) {
  if (tone != tone_) {
    tone_ = tone;
    paint_background();
  }
  std::memcpy(picture.data(), background_.data(), background_.size());
  constexpr std::size_t kMovingBar = 16, kStep = 4;
  const std::size_t places = (width_ - kMovingBar) / kStep;
  fill(picture, number % places * kStep, height_ * 3 / 4, kMovingBar, height_ / 8, white_);
  std::uint32_t rest = number;
  for (std::size_t i = kDigits; i-- > 0; rest /= 10) {
    draw_digit(picture, (width_ - kDigits * kDigitStep) / 2 + i * kDigitStep, digits_top(), rest % 10);
  }
  draw_word(picture, 0, number);
  draw_word(picture, 1, milliseconds);
  draw_word(picture, 2, checksum(still_sum_, picture.subspan(digits_top() * width_ * 2)));
}

}  // namespace usbloop::device_sim
