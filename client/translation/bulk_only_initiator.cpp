#include "client/translation/bulk_only_initiator.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "uas/command_block.h"

namespace usbloop::client {
namespace {

using uas::Direction;
using uas::Movement;
using uas::Outcome;
using usbredir::TransferStatus;

// Command block wrapper (5.1) and command status wrapper (5.2), little-endian.
constexpr std::size_t kCommandSize = 31, kStatusSize = 13;
constexpr std::uint32_t kCommandSignature = 0x43425355, kStatusSignature = 0x53425355;
constexpr std::uint8_t kGoodWrapper = 0, kFailedWrapper = 1;

constexpr std::byte kRequestSense{0x03}, kInquiry{0x12}, kReadCapacity10{0x25}, kServiceActionIn{0x9e};
constexpr std::uint8_t kSenseSize = 18;

std::uint32_t little_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint64_t big_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.subspan(at, size)) value = value << 8 | std::to_integer<std::uint8_t>(byte);
  return value;
}

/// The blocks that a READ or WRITE of 10, 12 or 16 bytes moves; 0 for other commands.
std::uint64_t blocks_of(std::span<const std::byte, 16> block) {
  switch (std::to_integer<unsigned>(block[0])) {
    case 0x28:
    case 0x2a: return big_at(block, 7, 2);
    case 0xa8:
    case 0xaa: return big_at(block, 6, 4);
    case 0x88:
    case 0x8a: return big_at(block, 10, 4);
    default: return 0;
  }
}

}  // namespace

StickLink::Done BulkOnlyInitiator::then(Handler handler) {
  return [this, handler, turn = turn_](const TransferEnd& end) {
    if (turn != turn_) return;
    current_ = 0;
    (this->*handler)(end);
  };
}

/// What the command is to be sent with; nothing when the host has not offered all of it yet.
std::optional<Movement> BulkOnlyInitiator::movement_of(std::span<const std::byte, 16> block,
                                                       const Movement& offered) const {
  if (offered.direction == Direction::none || offered.bytes == 0) {
    if (uas::direction_of(block) != Direction::none) return std::nullopt;
    return Movement{};
  }
  if (offered.bytes < blocks_of(block) * block_size_) return std::nullopt;
  return offered;
}

std::optional<Movement> BulkOnlyInitiator::begin(std::span<const std::byte, 16> block, const Movement& offered) {
  if (stage_ != Stage::idle || recovering_) return std::nullopt;
  const auto movement = movement_of(block, offered);
  if (!movement) return std::nullopt;
  std::copy(block.begin(), block.end(), block_.begin());
  movement_ = *movement;
  moved_ = whole_ = 0;
  piece_.reset();
  outcome_.reset();
  sensing_ = false;
  stage_ = Stage::command;
  send_command(block.first(uas::length_of(block)), movement_, &BulkOnlyInitiator::command_ended);
  return movement;
}

void BulkOnlyInitiator::send_command(std::span<const std::byte> block, Movement movement, Handler next) {
  ++turn_;
  asked_again_ = false;
  std::array<std::byte, kCommandSize> wrapper{};
  const std::uint32_t words[] = {kCommandSignature, ++tag_, static_cast<std::uint32_t>(movement.bytes)};
  std::memcpy(wrapper.data(), words, sizeof words);
  wrapper[12] = std::byte{static_cast<std::uint8_t>(movement.direction == Direction::in ? 0x80 : 0)};
  wrapper[14] = static_cast<std::byte>(block.size());
  std::copy(block.begin(), block.end(), wrapper.begin() + 15);
  current_ = link_.bulk_out(wrapper, then(next));
}

void BulkOnlyInitiator::command_ended(const TransferEnd& end) {
  if (end.status != TransferStatus::success) return break_off();
  if (movement_.direction == Direction::none) return ask_status();
  stage_ = Stage::waiting;
}

/// Gives the Target up to `size` bytes of the piece; into `room` where it is data for the host.
std::size_t BulkOnlyInitiator::hand_over(std::span<std::byte> room, std::size_t size) {
  if (!piece_) return 0;
  std::uint64_t left = piece_->moved - piece_used_;
  if (stage_ == Stage::over) left = std::min(left, whole_ - std::min(whole_, moved_));
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, size));
  if (!room.empty()) std::copy_n(piece_->data.bytes().subspan(piece_used_).begin(), count, room.begin());
  moved_ += count;
  piece_used_ += count;
  if (stage_ == Stage::moved && piece_used_ == piece_->moved) stage_ = Stage::waiting;
  return count;
}

std::optional<std::size_t> BulkOnlyInitiator::produce(std::span<std::byte> room) {
  if (stage_ == Stage::over || stage_ == Stage::moved) return hand_over(room, room.size());
  if (stage_ == Stage::waiting) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), movement_.bytes - moved_));
    stage_ = Stage::data;
    current_ = link_.bulk_in(size, [this, size, turn = turn_](TransferEnd end) {
      if (turn == turn_) data_ended(std::move(end), size);
    });
  }
  return std::nullopt;
}

std::optional<std::size_t> BulkOnlyInitiator::accept(std::span<const std::byte> data) {
  if (stage_ == Stage::over || stage_ == Stage::moved) return hand_over({}, data.size());
  if (stage_ == Stage::waiting) {
    stage_ = Stage::data;
    current_ = link_.bulk_out(data, [this, size = data.size(), turn = turn_](TransferEnd end) {
      if (turn == turn_) data_ended(std::move(end), size);
    });
  }
  return std::nullopt;
}

void BulkOnlyInitiator::data_ended(TransferEnd end, std::size_t wanted) {
  current_ = 0;
  const TransferStatus status = end.status;
  if (status != TransferStatus::success && status != TransferStatus::stall) return break_off();
  end.moved = std::min(end.moved, wanted);
  const bool goes_on = status == TransferStatus::success && end.moved == wanted && moved_ + wanted < movement_.bytes;
  piece_ = std::move(end);
  piece_used_ = 0;
  if (goes_on) {
    stage_ = Stage::moved;
    return;
  }
  stage_ = Stage::status;
  if (status == TransferStatus::success) return ask_status();
  link_.clear_halt(movement_.direction == Direction::in, then(&BulkOnlyInitiator::halt_cleared));
}

void BulkOnlyInitiator::halt_cleared(const TransferEnd& end) {
  if (end.status != TransferStatus::success) return break_off();
  ask_status();
}

void BulkOnlyInitiator::ask_status() {
  stage_ = Stage::status;
  current_ = link_.bulk_in(kStatusSize, then(&BulkOnlyInitiator::status_ended));
}

void BulkOnlyInitiator::status_ended(const TransferEnd& end) {
  const bool stalled = end.status == TransferStatus::stall;
  const bool is_empty = end.status == TransferStatus::success && end.moved == 0;
  if ((stalled || is_empty) && !asked_again_) {
    // Once more (6.7.2, figure 2); an empty packet is the late end of the data.
    asked_again_ = true;
    if (is_empty) return ask_status();
    link_.clear_halt(true, then(&BulkOnlyInitiator::halt_cleared));
    return;
  }
  if (end.status != TransferStatus::success || end.moved != kStatusSize) return break_off();
  const auto wrapper = end.data.bytes();
  if (little_at(wrapper, 0) != kStatusSignature || little_at(wrapper, 4) != tag_) return break_off();
  conclude(std::to_integer<std::uint8_t>(wrapper[12]), little_at(wrapper, 8));
}

void BulkOnlyInitiator::conclude(std::uint8_t status, std::uint32_t residue) {
  if (status != kGoodWrapper && status != kFailedWrapper) return break_off();
  if (sensing_) {
    if (status != kGoodWrapper || sense_.size() == 0) return finish(aborted());
    const auto sense = sense_.bytes();
    return finish({Outcome::kCheckCondition, {sense.begin(), sense.end()}});
  }
  const std::uint64_t all = moved_ + (piece_ ? piece_->moved - piece_used_ : 0);
  // There are sticks whose residues are wrong; these two commands show them (Linux knows them so too).
  const bool is_short_reply = (block_[0] == kInquiry && all == 36) || (block_[0] == kReadCapacity10 && all == 8);
  if (status == kGoodWrapper && residue > 0 && is_short_reply && all == movement_.bytes) ignores_residue_ = true;
  const std::uint64_t counted = ignores_residue_ ? 0 : residue;
  whole_ = std::min(all, movement_.bytes - std::min(counted, movement_.bytes));
  if (status == kGoodWrapper) {
    learn_block_size();
    return finish({});
  }
  sensing_ = true;
  const std::array<std::byte, 6> request{kRequestSense, {}, {}, {}, std::byte{kSenseSize}, {}};
  send_command(request, {Direction::in, kSenseSize}, &BulkOnlyInitiator::sense_commanded);
}

void BulkOnlyInitiator::sense_commanded(const TransferEnd& end) {
  if (end.status != TransferStatus::success) return break_off();
  current_ = link_.bulk_in(kSenseSize, [this, turn = turn_](TransferEnd sense) {
    if (turn != turn_) return;
    current_ = 0;
    sense_ = std::exchange(sense.data, {});
    sense_ended(sense);
  });
}

void BulkOnlyInitiator::sense_ended(const TransferEnd& end) {
  if (end.status == TransferStatus::success) return ask_status();
  if (end.status != TransferStatus::stall) return break_off();
  link_.clear_halt(true, then(&BulkOnlyInitiator::halt_cleared));
}

/// The guest has asked for the capacity: how long are the blocks?
void BulkOnlyInitiator::learn_block_size() {
  if (!piece_) return;
  const auto data = piece_->data.bytes();
  if (block_[0] == kReadCapacity10 && data.size() >= 8) block_size_ = big_at(data, 4, 4);
  if (block_[0] == kServiceActionIn && block_[1] == std::byte{0x10} && data.size() >= 12) {
    block_size_ = big_at(data, 8, 4);
  }
}

void BulkOnlyInitiator::finish(Outcome outcome) {
  stage_ = Stage::over;
  outcome_ = std::move(outcome);
}

std::optional<Outcome> BulkOnlyInitiator::end() {
  if (stage_ != Stage::over) return std::nullopt;
  stage_ = Stage::idle;
  piece_.reset();
  return std::exchange(outcome_, std::nullopt);
}

}  // namespace usbloop::client
