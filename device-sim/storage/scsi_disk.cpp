#include "device-sim/storage/scsi_disk.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "device-sim/storage/scsi_fields.h"

namespace usbloop::device_sim {
namespace {

using namespace scsi;  // fields and sense values: a table. NOLINT(google-build-using-namespace)

}  // namespace

ScsiDisk::ScsiDisk(BlockStore& store, ScsiIdentity identity, StorageFaults* faults)
    : store_(store), identity_(std::move(identity)), faults_(faults) {}

void ScsiDisk::reset() {
  sense_ = {};
  failed_ = locked_ = false;
  prepared_.clear();
}

ScsiDisk::Intent ScsiDisk::fail(Sense sense) {
  sense_ = sense;
  failed_ = true;
  return {};
}

ScsiDisk::Intent ScsiDisk::reply(std::vector<std::uint8_t> data, std::uint32_t allocation_length) {
  prepared_ = std::move(data);
  prepared_.resize(std::min<std::size_t>(prepared_.size(), allocation_length));
  return {prepared_.empty() ? Direction::none : Direction::in, prepared_.size()};
}

ScsiDisk::Intent ScsiDisk::begin(std::span<const std::byte> bytes) {
  std::array<std::uint8_t, 16> command{};
  std::memcpy(command.data(), bytes.data(), std::min(bytes.size(), command.size()));
  failed_ = from_store_ = false;
  cursor_ = 0;
  prepared_.clear();
  const std::uint8_t operation = command[0];
  if (faults_ != nullptr) {
    if (const auto attention = faults_->on_command(operation)) return fail(*attention);
  }
  if (const auto trouble = medium_trouble(operation)) return fail(*trouble);
  const Sense before = sense_;
  const Intent intent = dispatch(command);
  // Sense data belongs to the last command that failed, and is kept for the one REQUEST SENSE that follows.
  if (!failed_ && operation != kRequestSenseOp && sense_ == before) sense_ = {};
  return intent;
}

ScsiDisk::Intent ScsiDisk::dispatch(Command command) {
  switch (command[0]) {
    case kTestUnitReady: return {};
    case kRequestSenseOp: return request_sense(command);
    case kInquiryOp: return inquiry(command);
    case kModeSense6:
    case kModeSense10: return mode_sense(command);
    case kStartStopUnit: return start_stop(command);
    case kPreventAllow: return prevent_removal(command);
    case kReadFormatCapacitiesOp: return read_format_capacities(command);
    case kReadCapacity10Op: return read_capacity_10();
    case kServiceActionIn16: return service_action_in(command);
    case kRead6:
    case kRead10:
    case kRead12:
    case kRead16:
    case kWrite6:
    case kWrite10:
    case kWrite12:
    case kWrite16: return transfer(command);
    case kVerify10: return verify(command);
    case kSynchronizeCache10:
    case kSynchronizeCache16: return synchronize();
    case kReportLuns: return reply({0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, u32(command, 6));
    default: return fail(kInvalidOperation);
  }
}

ScsiDisk::Intent ScsiDisk::access(Direction direction, std::uint64_t first_block, std::uint64_t count) {
  if (first_block > blocks() || count > blocks() - first_block) return fail(kOutOfRange);
  if (direction == Direction::out && store_.read_only()) return fail(kWriteProtected);
  cursor_ = first_block * kBlockSize;
  from_store_ = true;
  return {count == 0 ? Direction::none : direction, count * kBlockSize};
}

ScsiDisk::Intent ScsiDisk::transfer(Command command) {
  switch (command[0]) {
    case kRead6:
    case kWrite6: {
      const std::uint64_t first = u32(command, 0) & 0x1fffff;
      const std::uint64_t count = command[4] == 0 ? 256 : command[4];
      return access(command[0] == kRead6 ? Direction::in : Direction::out, first, count);
    }
    case kRead10:
    case kWrite10:
      return access(command[0] == kRead10 ? Direction::in : Direction::out, u32(command, 2), u16(command, 7));
    case kRead12:
    case kWrite12:
      return access(command[0] == kRead12 ? Direction::in : Direction::out, u32(command, 2), u32(command, 6));
    default: return access(command[0] == kRead16 ? Direction::in : Direction::out, u64(command, 2), u32(command, 10));
  }
}

bool ScsiDisk::produce(std::span<std::byte> room) {
  if (failed_) return false;      // the medium has been taken out meanwhile
  if (room.empty()) return true;  // also where there are no prepared data
  if (!from_store_) {
    std::memcpy(room.data(), prepared_.data() + cursor_, room.size());
  } else if (has_bad(room.size())) {
    fail(kUnrecoveredRead);
    return false;
  } else if (const auto done = store_.read(cursor_, room); !done) {
    errors_.report(done.error().message());
    fail(kUnrecoveredRead);
    return false;
  }
  cursor_ += room.size();
  return true;
}

bool ScsiDisk::accept(std::span<const std::byte> data) {
  if (failed_) return false;
  if (has_bad(data.size())) {
    fail(kWriteError);
    return false;
  }
  if (const auto done = store_.write(cursor_, data); !done) {
    errors_.report(done.error().message());
    fail(kWriteError);
    return false;
  }
  cursor_ += data.size();
  return true;
}

ScsiDisk::Intent ScsiDisk::verify(Command command) {
  constexpr std::uint8_t kCompareBytes = 0x06;
  if ((command[1] & kCompareBytes) != 0) return fail(kInvalidField);
  (void)access(Direction::none, u32(command, 2), u16(command, 7));
  return {};
}

ScsiDisk::Intent ScsiDisk::synchronize() {
  if (const auto done = store_.flush(); !done) {
    errors_.report(done.error().message());
    return fail(kWriteError);
  }
  return {};
}

}  // namespace usbloop::device_sim
