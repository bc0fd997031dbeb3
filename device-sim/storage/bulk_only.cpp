#include "device-sim/storage/bulk_only.h"

#include <algorithm>
#include <cstring>

namespace usbloop::device_sim {
namespace {

// Command block wrapper (5.1) and command status wrapper (5.2), little-endian.
constexpr std::size_t kCbwSize = 31, kCswSize = 13, kCommandBlockAt = 15, kLongestCommandBlock = 16;
constexpr std::uint32_t kCbwSignature = 0x43425355, kCswSignature = 0x53425355;
constexpr std::uint8_t kDirectionIn = 0x80;

// Class requests (3.1, 3.2).
constexpr std::uint8_t kGetMaxLun = 0xfe, kMassStorageReset = 0xff;

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint8_t byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

}  // namespace

void BulkOnly::reset() {
  phase_ = Phase::command;
  disk_.reset();
}

ControlReply BulkOnly::request(const SetupPacket& setup) {
  if (setup.request_type == 0xa1 && setup.request == kGetMaxLun) return {TransferStatus::success, {std::byte{0}}};
  if (setup.request_type == 0x21 && setup.request == kMassStorageReset) {
    phase_ = Phase::command;
    return {TransferStatus::success, {}};
  }
  return {};
}

TransferStatus BulkOnly::out(std::span<const std::byte> data) {
  if (phase_ == Phase::command) return command(data);
  if (phase_ == Phase::data_out) return data_out(data);
  // The host sends data that nobody asked for: it has lost the thread and must reset.
  phase_ = Phase::broken;
  return TransferStatus::stall;
}

TransferStatus BulkOnly::command(std::span<const std::byte> wrapper) {
  const bool valid = wrapper.size() == kCbwSize && word_at(wrapper, 0) == kCbwSignature;
  const std::size_t length = valid ? byte_at(wrapper, 14) & 0x1f : 0;
  const bool meaningful = valid && (byte_at(wrapper, 13) & 0x0f) == 0 && length >= 1 && length <= kLongestCommandBlock;
  if (!meaningful) {
    phase_ = Phase::broken;
    return TransferStatus::stall;
  }
  tag_ = word_at(wrapper, 4);
  whole_ = host_left_ = word_at(wrapper, 8);
  begin(wrapper.subspan(kCommandBlockAt, length), (byte_at(wrapper, 12) & kDirectionIn) != 0);
  return TransferStatus::success;
}

void BulkOnly::begin(std::span<const std::byte> command_block, bool host_reads) {
  const ScsiDisk::Intent intent = disk_.begin(command_block);
  using Direction = ScsiDisk::Direction;
  outcome_ = disk_.failed() ? Outcome::failed : Outcome::good;
  moved_ = false;
  const Direction expected = host_left_ == 0 ? Direction::none : host_reads ? Direction::in : Direction::out;
  phase_ = expected == Direction::none ? Phase::status : host_reads ? Phase::data_in : Phase::data_out;
  disk_left_ = intent.direction == expected ? intent.bytes : 0;
  // The device has more to move than the host expects, or the other way round: cases 2, 3, 7, 8, 10, 13.
  const bool agrees = intent.direction == Direction::none || intent.direction == expected;
  if (!agrees || (intent.direction != Direction::none && intent.bytes > host_left_)) {
    outcome_ = Outcome::phase_error;
    // A read still delivers what fits. A cut write would leave half a file, so nothing is written.
    disk_left_ = intent.direction == Direction::in && agrees ? host_left_ : 0;
  }
}

TransferStatus BulkOnly::data_out(std::span<const std::byte> data) {
  if (data.size() > host_left_) {
    phase_ = Phase::broken;
    return TransferStatus::stall;
  }
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), disk_left_));
  if (wanted == 0 && !moved_ && !data.empty()) {
    // Nothing of it is of use: cases 8, 9, 13, and a write that was refused.
    phase_ = Phase::status;
    return TransferStatus::stall;
  }
  if (wanted > 0 && !disk_.accept(data.first(wanted))) {
    outcome_ = Outcome::failed;
    phase_ = Phase::status;
    return TransferStatus::stall;
  }
  moved_ = moved_ || wanted > 0;
  disk_left_ -= wanted;
  host_left_ -= static_cast<std::uint32_t>(data.size());
  if (host_left_ == 0) phase_ = Phase::status;
  return TransferStatus::success;
}

InReply BulkOnly::in(std::span<std::byte> room) {
  switch (phase_) {
    case Phase::data_in: return data_in(room);
    case Phase::status: return status(room);
    case Phase::broken: return InReply::stall();
    case Phase::command:
    case Phase::data_out: break;
  }
  return InReply::not_yet();
}

InReply BulkOnly::data_in(std::span<std::byte> room) {
  const auto size =
      static_cast<std::size_t>(std::min({std::uint64_t{room.size()}, disk_left_, std::uint64_t{host_left_}}));
  if (size == 0 && !room.empty()) {
    // No data at all: the phase is stalled, as sticks do. Behind data that filled its transfers: an empty packet.
    phase_ = Phase::status;
    return moved_ ? InReply::data(0) : InReply::stall();
  }
  if (!disk_.produce(room.first(size))) {
    outcome_ = Outcome::failed;
    phase_ = Phase::status;
    return InReply::stall();
  }
  moved_ = moved_ || size > 0;
  disk_left_ -= size;
  host_left_ -= static_cast<std::uint32_t>(size);
  if (size < room.size() || host_left_ == 0) phase_ = Phase::status;
  return InReply::data(size);
}

InReply BulkOnly::status(std::span<std::byte> room) {
  if (room.size() < kCswSize) return InReply::stall();
  const std::uint32_t words[] = {kCswSignature, tag_, host_left_};
  std::memcpy(room.data(), words, sizeof words);
  room[kCswSize - 1] = static_cast<std::byte>(outcome_);
  if (faults_ != nullptr) faults_->on_status_wrapper(room.first(kCswSize), whole_);
  phase_ = Phase::command;
  return InReply::data(kCswSize);
}

}  // namespace usbloop::device_sim
