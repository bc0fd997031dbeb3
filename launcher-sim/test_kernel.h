#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

// For tests only: kernels of a few instructions, which QEMU boots in a tenth of a second.
namespace usbloop::launcher::test {

/// Writes a Multiboot kernel: the code, and `data` behind it.
inline void write_kernel(const std::string& path, const std::vector<unsigned char>& code,
                         const std::string& data = {}) {
  constexpr std::uint32_t kMagic = 0x1BADB002;
  constexpr std::uint32_t kHasAddresses = 1U << 16U;
  constexpr std::uint32_t kLoad = 0x100000;
  constexpr std::uint32_t kEntry = 32;
  const auto size = static_cast<std::uint32_t>(kEntry + code.size() + data.size());
  // Magic, flags, checksum; then where header, image, end of data and of bss, and entry are in memory.
  const std::array<std::uint32_t, 8> header = {
      kMagic, kHasAddresses, 0U - kMagic - kHasAddresses, kLoad, kLoad, kLoad + size, kLoad + size, kLoad + kEntry};
  std::array<char, sizeof header> head{};
  std::memcpy(head.data(), header.data(), sizeof header);
  std::ofstream file(path, std::ios::binary);
  file.write(head.data(), head.size());
  file << std::string(code.begin(), code.end()) << data;
}

inline const std::vector<unsigned char> kHalt = {0xFA, 0xF4, 0xEB, 0xFD};  ///< cli, hlt, back to the hlt

/// A kernel that stops the processor for good. It says in the ACPI register that it listens for the power button, and
/// does not mind it; or it does not even say so, as a system that has not come so far.
inline void write_halting_kernel(const std::string& path, bool listens) {
  std::vector<unsigned char> code;
  if (listens) code = {0x66, 0xBA, 0x02, 0x06, 0x66, 0xB8, 0x00, 0x01, 0x66, 0xEF};  // dx: 0x602, ax: 0x100; out
  code.insert(code.end(), kHalt.begin(), kHalt.end());
  write_kernel(path, code);
}

/// A kernel that says the text on the serial console and stops.
inline void write_speaking_kernel(const std::string& path, const std::string& text) {
  constexpr std::uint32_t kText = 0x100000 + 32 + 16 + 4;
  const auto size = static_cast<std::uint32_t>(text.size());
  std::vector<unsigned char> code = {0xBE};  // esi: the text
  const auto add = [&code](std::uint32_t number) {
    for (int i = 0; i < 4; ++i, number >>= 8U) code.push_back(static_cast<unsigned char>(number & 0xFFU));
  };
  add(kText);
  code.push_back(0xB9);  // ecx: its size
  add(size);
  code.insert(code.end(), {0x66, 0xBA, 0xF8, 0x03, 0xF3, 0x6E});  // dx: 0x3f8; rep outsb
  code.insert(code.end(), kHalt.begin(), kHalt.end());
  write_kernel(path, code, text);
}

}  // namespace usbloop::launcher::test
