#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <vector>

#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

/// A class or vendor request of the recording and its answer.
struct RecordedRequest {
  SetupPacket setup;
  std::vector<std::byte> data;  ///< which the guest sent, or the device
  TransferStatus status = TransferStatus::success;
  std::uint64_t record = 0;  ///< its number in the file, from 1 on
};

/// What one endpoint was given or said: a transfer, or an isochronous packet.
struct RecordedTransfer {
  std::vector<std::byte> data;
  TransferStatus status = TransferStatus::success;
  bool answered = true;      ///< false: the guest gave it up. Of OUT endpoints only; others leave it out
  std::uint64_t record = 0;  ///< of the beginning (OUT) or the end (IN)
  /// IN: how many acts of the guest (class and vendor requests, data written) had come before.
  std::uint64_t acts = 0;
  /// IN: the time since the last of these acts, the answer before it on its endpoint and the guest's own question.
  std::chrono::microseconds delay{0};
};

/// A session of one device, taken out of a capture: all that is needed to say the same again.
struct Recording {
  /// Descriptors by recipient and type, index, and language or interface: as GET_DESCRIPTOR asks for them.
  struct DescriptorKey {
    std::uint8_t request_type = 0;
    std::uint16_t value = 0;
    std::uint16_t index = 0;
    auto operator<=>(const DescriptorKey&) const = default;
  };

  std::uint8_t device = 0;               ///< its number in the capture
  std::optional<usbredir::Speed> speed;  ///< nothing: the capture does not say
  std::map<DescriptorKey, std::vector<std::byte>> descriptors;
  std::vector<RecordedRequest> requests;
  std::map<std::uint8_t, std::vector<RecordedTransfer>> transfers;  ///< by endpoint address

  /// The descriptor with what is there of it; empty when it was not asked for or there is none.
  [[nodiscard]] std::vector<std::byte> descriptor(std::uint8_t type, std::uint16_t language = 0,
                                                  std::uint8_t index = 0) const;
};

/// Reads the first device of a capture, or that with the number `device`. The file is not trusted; no more than `room`
/// bytes of data are kept. Errors: protocol (this is no capture, or broken), not_found (no such device), invalid: data
/// were left out of it, records are missing, it has bulk streams, or is too long. Isochronous data for
/// the device are left out: they are what a guest happened to play.
Result<Recording> read_recording(std::istream& in, std::optional<std::uint8_t> device = std::nullopt,
                                 std::size_t room = std::size_t{512} << 20);

}  // namespace usbloop::device_sim
