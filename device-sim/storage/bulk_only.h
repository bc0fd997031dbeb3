#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "device-sim/emulation/device.h"
#include "device-sim/storage/scsi_disk.h"

namespace usbloop::device_sim {

/// The Bulk-Only Transport of USB mass storage (usbmassbulk_10): a command wrapper on the OUT endpoint, data either
/// way, a status wrapper on the IN endpoint. The cases where host and device disagree about the data (its table
/// "thirteen cases") stall the data phase, shorten it or end with a phase error, as there.
class BulkOnly {
 public:
  static constexpr std::uint8_t kEndpointIn = 0x81;
  static constexpr std::uint8_t kEndpointOut = 0x02;

  /// `disk` and `faults` must outlive this object; null: it never has any.
  explicit BulkOnly(ScsiDisk& disk, StorageFaults* faults = nullptr) : disk_(disk), faults_(faults) {}

  TransferStatus out(std::span<const std::byte> data);
  InReply in(std::span<std::byte> room);
  ControlReply request(const SetupPacket& setup);
  /// False while an invalid command wrapper waits for the reset recovery (5.3.4).
  [[nodiscard]] bool may_clear_halt() const { return phase_ != Phase::broken; }
  void reset();

 private:
  enum class Phase { command, data_in, data_out, status, broken };
  enum class Outcome : std::uint8_t { good = 0, failed = 1, phase_error = 2 };

  TransferStatus command(std::span<const std::byte> wrapper);
  void begin(std::span<const std::byte> command_block, bool host_reads);
  TransferStatus data_out(std::span<const std::byte> data);
  InReply data_in(std::span<std::byte> room);
  InReply status(std::span<std::byte> room);

  ScsiDisk& disk_;
  StorageFaults* faults_;
  Phase phase_ = Phase::command;
  Outcome outcome_ = Outcome::good;
  std::uint32_t tag_ = 0;
  std::uint32_t whole_ = 0;      ///< bytes that the host expected to move
  std::uint32_t host_left_ = 0;  ///< bytes the host still expects to move: in the end the residue
  std::uint64_t disk_left_ = 0;  ///< bytes the command still moves
  bool moved_ = false;           ///< some data has been moved
};

/// What a transfer of `size` bytes that ended with `status` is to the host: a stall or all of it.
inline OutReply out_reply(TransferStatus status, std::size_t size) {
  return status == TransferStatus::success ? OutReply::taken(size) : OutReply::failed(status);
}

}  // namespace usbloop::device_sim
