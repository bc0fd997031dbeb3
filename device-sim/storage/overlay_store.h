#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "device-sim/storage/block_store.h"

namespace usbloop::device_sim {

/// A disk that keeps what is written apart from the disk below, which is only read. What is written is kept in chunks
/// of 4 KiB in a store above and is gone with that. The map of the chunks takes 4 KiB for each 128 MiB that were
/// written to.
class OverlayStore final : public BlockStore {
 public:
  static constexpr std::uint64_t kChunk = 4096;  ///< bytes

  /// `top` has the size of `base` and is never read where nothing was written.
  OverlayStore(std::unique_ptr<BlockStore> base, std::unique_ptr<BlockStore> top)
      : base_(std::move(base)), top_(std::move(top)) {}

  [[nodiscard]] std::uint64_t size() const override { return base_->size(); }
  [[nodiscard]] bool read_only() const override { return false; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override;
  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override;
  /// Nothing: what is thrown away with the device needs no medium that outlives it.
  Result<> flush() override { return {}; }

 private:
  static constexpr std::size_t kChunksOfMap = 32768;

  [[nodiscard]] bool is_written(std::uint64_t chunk) const;
  /// Copies a chunk up that is about to be written in part.
  Result<> copy_up(std::uint64_t chunk);
  void mark(std::uint64_t first, std::uint64_t last);

  std::unique_ptr<BlockStore> base_;
  std::unique_ptr<BlockStore> top_;
  std::unordered_map<std::uint64_t, std::bitset<kChunksOfMap>> written_;  ///< by chunk / kChunksOfMap
};

}  // namespace usbloop::device_sim
