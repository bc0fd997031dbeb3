#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace usbloop::e2e {

/// Bytes that look random and are the same for the same seed.
std::string random_bytes(std::size_t size, std::uint64_t seed);

/// Makes an image file of such bytes and returns its sha256.
std::string make_random_image(const std::filesystem::path& file, std::size_t size, std::uint64_t seed);

/// Makes an ext4 file system (label USBLOOP) of `size` bytes that holds the files (name to content). Needs no root.
void make_ext4_image(const std::filesystem::path& file, std::size_t size,
                     const std::map<std::string, std::string>& files);

/// The same with a FAT file system, as sticks have (mkfs.vfat and mtools).
void make_fat_image(const std::filesystem::path& file, std::size_t size,
                    const std::map<std::string, std::string>& files);

/// Content of a file in such an image, read without mounting it.
std::string read_from_ext4(const std::filesystem::path& image, const std::string& name);
std::string read_from_fat(const std::filesystem::path& image, const std::string& name);

void write_file(const std::filesystem::path& file, const std::string& bytes);

}  // namespace usbloop::e2e
