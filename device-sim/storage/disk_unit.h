#pragma once

#include "device-sim/storage/scsi_disk.h"
#include "uas/logical_unit.h"

namespace usbloop::device_sim {

/// A ScsiDisk as the logical unit of a UAS target. It is never "not yet": each call takes as long as the store.
class DiskUnit final : public uas::LogicalUnit {
 public:
  /// `disk` must outlive this object.
  explicit DiskUnit(ScsiDisk& disk) : disk_(disk) {}

  std::optional<uas::Movement> begin(std::span<const std::byte, 16> block, const uas::Movement& offered) override;
  std::optional<std::size_t> produce(std::span<std::byte> room) override;
  std::optional<std::size_t> accept(std::span<const std::byte> data) override;
  std::optional<uas::Outcome> end() override;
  void abort() override {}
  void reset() override { disk_.reset(); }

 private:
  ScsiDisk& disk_;
};

}  // namespace usbloop::device_sim
