#pragma once

#include <memory>
#include <utility>

#include "device-sim/fat/volume.h"
#include "device-sim/storage/block_store.h"

namespace usbloop::device_sim {

/// A directory as a disk that is only read.
class DirectoryStore final : public BlockStore {
 public:
  explicit DirectoryStore(std::unique_ptr<fat::Volume> volume) : volume_(std::move(volume)) {}

  [[nodiscard]] std::uint64_t size() const override { return volume_->size(); }
  [[nodiscard]] bool read_only() const override { return true; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override { return volume_->read(offset, into); }
  /// An Error: read_only() is true.
  Result<> write(std::uint64_t /*offset*/, std::span<const std::byte> /*from*/) override {
    return make_error(ErrorKind::denied, "write", "the directory", "it is only read");
  }
  Result<> flush() override { return {}; }

 private:
  std::unique_ptr<fat::Volume> volume_;
};

}  // namespace usbloop::device_sim
