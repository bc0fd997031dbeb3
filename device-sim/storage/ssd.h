#pragma once

#include <cstdint>
#include <memory>

#include "device-sim/emulation/device.h"
#include "device-sim/storage/block_store.h"
#include "device-sim/storage/bulk_only.h"
#include "device-sim/storage/disk_unit.h"
#include "device-sim/storage/scsi_disk.h"
#include "device-sim/storage/stick.h"
#include "uas/target.h"

namespace usbloop::device_sim {

/// An SSD at USB: mass storage, SCSI transparent command set, on a BlockStore. Alternate setting 0 has the Bulk-Only
/// Transport, 1 USB Attached SCSI, with bulk streams at super speed and without at high speed.
class Ssd final : public Device {
 public:
  /// SanDisk Extreme 55AE. Not slower than high speed: UAS begins there.
  static StorageOptions defaults() { return {0x0781, 0x55ae, usbredir::Speed::super, ""}; }

  Ssd(std::unique_ptr<BlockStore> store, const StorageOptions& options);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override { select(0, 0); }
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  void set_streams(std::uint8_t endpoint, std::uint32_t count) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  bool clear_halt(std::uint8_t endpoint) override;
  Result<> flush() override { return disk_.flush(); }
  Result<> set_fault(const Fault& fault) override { return faults_.set(fault, description_, store_->size(), false); }
  void clear_faults() override { faults_.clear(); }

 private:
  std::unique_ptr<BlockStore> store_;
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  StorageFaults faults_;
  ScsiDisk disk_;
  DiskUnit unit_;
  BulkOnly bulk_only_;
  uas::Target attached_;
  bool is_attached_ = false;  ///< alternate setting 1
};

}  // namespace usbloop::device_sim
