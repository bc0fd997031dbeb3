#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

// For tests only.
namespace usbloop::e2e {

/// Writes a picture for a person to look at: 8 bits for red, green and blue, line by line. PNG (RFC 2083) whose data is
/// not compressed, so that no library is needed.
class PngFile {
 public:
  static void write(const std::filesystem::path& path, std::uint32_t width, std::uint32_t height,
                    std::span<const unsigned char> rgb) {
    std::string lines;
    for (std::size_t y = 0; y < height; ++y) {
      lines += '\0';  // no filter
      lines.append(reinterpret_cast<const char*>(rgb.data()) + y * width * 3, width * std::size_t{3});
    }
    std::ofstream out(path, std::ios::binary);
    out << "\x89PNG\r\n\x1a\n"
        << chunk("IHDR", number(width) + number(height) + std::string("\x08\x02\0\0\0", 5))
        << chunk("IDAT", zlib(lines)) << chunk("IEND", "");
  }

 private:
  static std::string number(std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
    return text;
  }

  static std::string chunk(const std::string& name, const std::string& data) {
    const std::string both = name + data;
    std::uint32_t remainder = 0xffff'ffff;
    for (const char c : both) {
      remainder ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? 0xedb8'8320U : 0U);
    }
    return number(static_cast<std::uint32_t>(data.size())) + both + number(~remainder);
  }

  /// RFC 1950 with stored blocks (RFC 1951, 3.2.4).
  static std::string zlib(const std::string& data) {
    constexpr std::size_t kBlock = 0xffff;
    constexpr std::uint32_t kModulus = 65521;
    std::string text = "\x78\x01";
    for (std::size_t at = 0; at < data.size(); at += kBlock) {
      const std::size_t size = std::min(kBlock, data.size() - at);
      text += static_cast<char>(at + size == data.size() ? 1 : 0);
      for (const std::size_t part : {size, ~size}) {
        text += static_cast<char>(part);
        text += static_cast<char>(part >> 8);
      }
      text.append(data, at, size);
    }
    std::uint32_t low = 1, high = 0;
    for (const char c : data) {
      low = (low + static_cast<unsigned char>(c)) % kModulus;
      high = (high + low) % kModulus;
    }
    return text + number(high << 16 | low);
  }
};

}  // namespace usbloop::e2e
