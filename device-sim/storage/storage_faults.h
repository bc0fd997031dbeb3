#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "device-sim/emulation/fault.h"
#include "device-sim/storage/scsi_sense.h"

namespace usbloop::device_sim {

/// The faults of a storage device that its disk and its transports ask about. Belongs to the device's thread.
class StorageFaults {
 public:
  /// As Device::set_fault(), for `device`. `size`: of its disk, in bytes. `is_bulk_only`: it has no other transport.
  Result<> set(const Fault& fault, const usbredir::DeviceDescription& device, std::uint64_t size, bool is_bulk_only);
  void clear() { active_.clear(); }

  /// A command has come. What it fails with, if a unit attention waits for it.
  std::optional<Sense> on_command(std::uint8_t operation);
  /// Some of these bytes of the disk can be neither read nor written.
  [[nodiscard]] bool has_bad(std::uint64_t offset, std::size_t size) const;
  /// A command status wrapper (13 bytes) of a command of which the host wanted to move `whole` bytes.
  void on_status_wrapper(std::span<std::byte> wrapper, std::uint32_t whole);
  /// An information unit of the status pipe (UAS).
  void on_status_unit(std::span<std::byte> unit);

 private:
  struct Active {
    Fault fault;
    std::uint64_t seen = 0;
  };
  bool hits(FaultKind kind);

  std::vector<Active> active_;
};

}  // namespace usbloop::device_sim
