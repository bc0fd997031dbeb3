#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::device_sim {

/// Where a disk keeps its bytes. Ranges are within size(). Belongs to one thread.
class BlockStore {
 public:
  virtual ~BlockStore() = default;

  /// In bytes; does not change.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  [[nodiscard]] virtual bool read_only() const = 0;
  /// Fills the whole of `into`.
  virtual Result<> read(std::uint64_t offset, std::span<std::byte> into) = 0;
  virtual Result<> write(std::uint64_t offset, std::span<const std::byte> from) = 0;
  /// Returns when all that was written is on the medium.
  virtual Result<> flush() = 0;
};

inline constexpr std::uint32_t kBlockSize = 512;  ///< bytes per logical block

/// A raw image file (or a block device), locked against a second user as long as it is open: one writer, or many
/// readers.
class ImageFile final : public BlockStore {
 public:
  /// Refuses with a clear Error what is missing, not a file, empty, not a multiple of 512 bytes, forbidden or in use.
  static Result<std::unique_ptr<ImageFile>> open(const std::string& path, bool read_only);

  /// A file of `size` bytes in `directory` that has no name and is gone with this object. It takes place on the disk as
  /// it is written.
  static Result<std::unique_ptr<ImageFile>> temporary(const std::string& directory, std::uint64_t size);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] bool read_only() const override { return read_only_; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override;
  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override;
  Result<> flush() override;

 private:
  ImageFile(Fd fd, std::string path, std::uint64_t size, bool read_only)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size), read_only_(read_only) {}

  Fd fd_;
  std::string path_;
  std::uint64_t size_;
  bool read_only_;
  bool dirty_ = false;
};

}  // namespace usbloop::device_sim
