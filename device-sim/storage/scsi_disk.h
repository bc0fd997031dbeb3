#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/repeated_error.h"
#include "device-sim/emulation/medium.h"
#include "device-sim/storage/block_store.h"
#include "device-sim/storage/scsi_sense.h"
#include "device-sim/storage/storage_faults.h"
#include "uas/logical_unit.h"

namespace usbloop::device_sim {

/// What INQUIRY tells; cut or padded to the fields' sizes.
struct ScsiIdentity {
  std::string vendor;    ///< 8 characters
  std::string product;   ///< 16
  std::string revision;  ///< 4
  std::string serial;
  bool is_ssd = false;  ///< not removable, takes queued commands, and does not turn
};

/// A disk that speaks SCSI (SPC-4, SBC-3; the commands that Linux and Windows send to a stick). One command
/// at a time: begin(), then produce() or accept() as long as there is data, then failed() says how it went.
class ScsiDisk final : public Medium {
 public:
  using Direction = uas::Direction;
  using Intent = uas::Movement;  ///< what a command is going to move

  /// `store` and `faults` must outlive the disk; null: it never has any.
  ScsiDisk(BlockStore& store, ScsiIdentity identity, StorageFaults* faults = nullptr);

  /// `command` is the command block, 1 to 16 bytes. A failed command intends nothing.
  Intent begin(std::span<const std::byte> command);
  /// The next `room.size()` bytes of the data; no more in total than were intended. False: failed.
  bool produce(std::span<std::byte> room);
  /// As produce(), for data of the host.
  bool accept(std::span<const std::byte> data);
  /// The command at hand has failed; REQUEST SENSE tells why.
  [[nodiscard]] bool failed() const { return failed_; }
  /// Why the last command failed, for a transport that delivers that with its status; told once, as by REQUEST SENSE.
  Sense take_sense() { return std::exchange(sense_, {}); }

  /// Power-on state, apart from the data.
  void reset();
  Result<> flush() { return store_.flush(); }

  /// The medium of a disk whose identity is no SSD's; the other one has none.
  [[nodiscard]] Medium* medium() { return identity_.is_ssd ? nullptr : this; }
  [[nodiscard]] bool is_loaded() const override { return loaded_; }
  void load() override;
  Result<> eject(bool by_force) override;

 private:
  using Command = std::span<const std::uint8_t, 16>;

  Intent fail(Sense sense);
  Intent reply(std::vector<std::uint8_t> data, std::uint32_t allocation_length);
  Intent access(Direction direction, std::uint64_t first_block, std::uint64_t blocks);
  Intent dispatch(Command command);
  Intent transfer(Command command);
  Intent inquiry(Command command);
  Intent vital_product_data(Command command);
  Intent request_sense(Command command);
  Intent mode_sense(Command command);
  Intent read_capacity_10();
  Intent service_action_in(Command command);
  Intent read_format_capacities(Command command);
  Intent start_stop(Command command);
  Intent prevent_removal(Command command);
  Intent verify(Command command);
  Intent synchronize();
  [[nodiscard]] std::optional<Sense> medium_trouble(std::uint8_t operation);
  [[nodiscard]] bool has_bad(std::size_t size) const { return faults_ != nullptr && faults_->has_bad(cursor_, size); }
  [[nodiscard]] std::uint64_t blocks() const { return store_.size() / kBlockSize; }

  BlockStore& store_;
  ScsiIdentity identity_;
  StorageFaults* faults_;
  Sense sense_;
  bool failed_ = false;
  bool loaded_ = true;    ///< false after an eject
  bool changed_ = false;  ///< loaded by hand, and the guest has not been told
  bool locked_ = false;
  std::vector<std::uint8_t> prepared_;  ///< data of a command that does not touch the store
  std::uint64_t cursor_ = 0;            ///< next byte of prepared_ or of the store
  bool from_store_ = false;
  RepeatedError errors_;  ///< of the store; a guest tries again and again
};

}  // namespace usbloop::device_sim
