#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "device-sim/emulation/device.h"
#include "device-sim/storage/block_store.h"
#include "device-sim/storage/bulk_only.h"
#include "device-sim/storage/scsi_disk.h"

namespace usbloop::device_sim {

/// What differs between storage devices of one kind.
struct StorageOptions {
  std::uint16_t vendor_id = 0;
  std::uint16_t product_id = 0;
  usbredir::Speed speed = usbredir::Speed::high;  ///< not low: mass storage does not exist at low speed
  std::string serial;
};

/// A USB stick: mass storage, SCSI transparent command set, Bulk-Only Transport, on a BlockStore.
class Stick final : public Device {
 public:
  static constexpr std::uint8_t kEndpointIn = BulkOnly::kEndpointIn;
  static constexpr std::uint8_t kEndpointOut = BulkOnly::kEndpointOut;

  static StorageOptions defaults() { return {0x0951, 0x1666, usbredir::Speed::high, ""}; }

  Stick(std::unique_ptr<BlockStore> store, const StorageOptions& options);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override { transport_.reset(); }
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  bool clear_halt(std::uint8_t endpoint) override;
  [[nodiscard]] Medium* medium() override { return disk_.medium(); }
  Result<> flush() override { return disk_.flush(); }
  Result<> set_fault(const Fault& fault) override { return faults_.set(fault, description_, store_->size(), true); }
  void clear_faults() override { faults_.clear(); }

 private:
  std::unique_ptr<BlockStore> store_;
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  StorageFaults faults_;
  ScsiDisk disk_;
  BulkOnly transport_;
};

/// A serial number that stays the same for one image: 24 hexadecimal digits made of its canonical path.
std::string serial_for(const std::string& image_path);

}  // namespace usbloop::device_sim
