#include <utility>

#include "client/translation/bulk_only_initiator.h"
#include "common/log.h"

// How BulkOnlyInitiator brings a stick back that has broken the transport, or whose command was given up (5.3.4).
namespace usbloop::client {

using usbredir::TransferStatus;

/// ABORTED COMMAND, a failure of the communication: the host may repeat it.
uas::Outcome BulkOnlyInitiator::aborted() {
  constexpr std::uint8_t kAbortedCommand = 0x0b, kCommunicationFailure = 0x08;
  return {uas::Outcome::kCheckCondition, uas::fixed_sense(kAbortedCommand, kCommunicationFailure, 0)};
}

void BulkOnlyInitiator::abort() {
  const bool is_quiet = stage_ == Stage::idle || stage_ == Stage::over;
  stage_ = Stage::idle;
  outcome_.reset();
  piece_.reset();
  if (!is_quiet) recover();
}

/// The transport is broken.
void BulkOnlyInitiator::break_off() {
  spdlog::debug("the stick has broken the transport in command {:02x}", std::to_integer<unsigned>(block_[0]));
  piece_.reset();
  finish(aborted());
  recover();
}

void BulkOnlyInitiator::recover() {
  ++turn_;
  recovering_ = true;
  if (current_ != 0) link_.cancel(std::exchange(current_, 0));
  link_.reset_transport(then(&BulkOnlyInitiator::transport_reset));
}

void BulkOnlyInitiator::transport_reset(const TransferEnd& end) {
  if (end.status != TransferStatus::success) return link_.reset_bus(then(&BulkOnlyInitiator::recovered));
  link_.clear_halt(true, then(&BulkOnlyInitiator::in_cleared));
}

void BulkOnlyInitiator::in_cleared(const TransferEnd& end) {
  if (end.status != TransferStatus::success) return link_.reset_bus(then(&BulkOnlyInitiator::recovered));
  link_.clear_halt(false, [this, turn = turn_](const TransferEnd& last) {
    if (turn != turn_) return;
    if (last.status != TransferStatus::success) return link_.reset_bus(then(&BulkOnlyInitiator::recovered));
    recovered(last);
  });
}

// A bus reset that fails too leaves the next command to find out.
void BulkOnlyInitiator::recovered(const TransferEnd&) { recovering_ = false; }

}  // namespace usbloop::client
