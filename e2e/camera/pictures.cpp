#include "e2e/camera/pictures.h"

#include <cstdio>
#include <cstring>
#include <string>

namespace {

constexpr std::uint32_t kSquare = 8, kStripHeight = 3 * kSquare;

std::uint32_t word_of_strip(const unsigned char* picture, std::uint32_t width, std::uint32_t line) {
  const unsigned char* row = picture + std::size_t{line * kSquare + kSquare / 2} * width * 2;
  std::uint32_t word = 0;
  for (std::uint32_t bit = 0; bit < 32; ++bit)
    word = word << 1 | (row[(bit * kSquare + kSquare / 2) * 2] > 128 ? 1 : 0);
  return word;
}

/// FNV-1a over the words below the strip.
std::uint32_t checksum(std::span<const unsigned char> bytes) {
  std::uint32_t sum = 2166136261;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    sum = (sum ^ word) * 16777619;
  }
  return sum;
}

}  // namespace

std::optional<std::uint32_t> number_of_yuyv(std::span<const unsigned char> picture, std::uint32_t width,
                                            std::uint32_t height) {
  if (picture.size() != std::size_t{width} * height * 2) return std::nullopt;
  const auto rest = picture.subspan(std::size_t{width} * kStripHeight * 2);
  if (word_of_strip(picture.data(), width, 2) != checksum(rest)) return std::nullopt;
  return word_of_strip(picture.data(), width, 0);
}

std::optional<std::uint32_t> number_of_mjpeg(std::span<const unsigned char> picture) {
  constexpr std::size_t kComment = 20, kText = kComment + 4, kRest = kText + 38;
  if (picture.size() < kRest + 2 || picture[kComment] != 0xff || picture[kComment + 1] != 0xfe) return std::nullopt;
  const std::string text(picture.begin() + kText, picture.begin() + kRest);
  unsigned number = 0, milliseconds = 0, told = 0;
  if (std::sscanf(text.c_str(), "usbloop %10u %10u %8x", &number, &milliseconds, &told) != 3) return std::nullopt;
  std::uint32_t sum = 2166136261;
  for (const unsigned char byte : picture.subspan(kRest)) sum = (sum ^ byte) * 16777619;
  return sum == told ? std::optional(number) : std::nullopt;
}
