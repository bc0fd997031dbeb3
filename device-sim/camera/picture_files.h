#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "device-sim/camera/video_mode.h"

namespace usbloop::device_sim {

/// JPEG files that a camera shows one after the other, in memory. Never changed.
class PictureFiles {
 public:
  static constexpr std::size_t kMostFiles = 10'000;
  static constexpr std::size_t kMostFileBytes = std::size_t{8} << 20, kMostBytes = std::size_t{256} << 20;
  static constexpr std::uint32_t kMostPixels = 1920 * 1080;
  static constexpr std::uint16_t kLeastSide = 16;

  /// One file, or those of a directory whose names end in .jpg or .jpeg, in the order of the bytes of their names. All
  /// have the size of the first. Errors name the file: those of the system, and invalid.
  static Result<std::shared_ptr<const PictureFiles>> load(const std::string& path);

  [[nodiscard]] PictureSize size() const { return size_; }
  [[nodiscard]] std::size_t count() const { return files_.size(); }  ///< at least one
  [[nodiscard]] std::span<const std::byte> at(std::size_t index) const { return files_.at(index); }
  [[nodiscard]] std::size_t most_bytes() const { return most_bytes_; }  ///< of the longest

 private:
  Result<> add(const std::string& path);

  PictureSize size_;
  std::vector<std::vector<std::byte>> files_;
  std::size_t bytes_ = 0, most_bytes_ = 0;
};

}  // namespace usbloop::device_sim
