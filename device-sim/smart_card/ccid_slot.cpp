#include "device-sim/smart_card/ccid_slot.h"

#include <algorithm>

namespace usbloop::device_sim {
namespace {

// bError (CCID 1.1, 6.2.6): below 0x80 the place of what is wrong in the message.
constexpr std::uint8_t kUnknownCommand = 0, kWrongLength = 1, kNoSuchSlot = 5, kWrongByte7 = 7, kWrongByte8 = 8;
constexpr std::uint8_t kAborted = 0xff, kMute = 0xfe;
// bStatus: of the card, and of the command.
constexpr std::uint8_t kCardActive = 0, kCardInactive = 1, kNoCard = 2, kFailed = 0x40;
constexpr std::uint8_t kOnlySlot = 0;

/// The answer that a command has (6.1), also where it fails.
CcidAnswer answer_to(std::uint8_t type) {
  switch (static_cast<CcidCommand>(type)) {
    case CcidCommand::power_on:
    case CcidCommand::transfer:
    case CcidCommand::secure: return CcidAnswer::data_block;
    case CcidCommand::get_parameters:
    case CcidCommand::reset_parameters:
    case CcidCommand::set_parameters: return CcidAnswer::parameters;
    case CcidCommand::escape: return CcidAnswer::escape;
    case CcidCommand::set_rate_and_clock: return CcidAnswer::rate_and_clock;
    default: return CcidAnswer::slot_status;
  }
}

}  // namespace

void CcidSlot::reset() {
  if (has_power_) card_.power_off();
  has_power_ = false;
  parameters_ = kUsual;
  aborting_.reset();
}

bool CcidSlot::begin_abort(std::uint8_t slot, std::uint8_t sequence) {
  if (slot != kOnlySlot) return false;
  aborting_ = sequence;
  return true;
}

CcidSlot::Message CcidSlot::answer(Bytes message) {
  const CcidHeader asked = CcidHeader::read(message);
  const Bytes body = message.subspan(CcidHeader::kSize);
  if (asked.slot != kOnlySlot) return failed(asked, kNoSuchSlot);
  if (asked.length != body.size()) return failed(asked, kWrongLength);
  if (asked.type == static_cast<std::uint8_t>(CcidCommand::abort)) return end_abort(asked);
  if (aborting_) return failed(asked, kAborted);
  return dispatch(asked, body);
}

CcidSlot::Message CcidSlot::dispatch(const CcidHeader& asked, Bytes body) {
  switch (static_cast<CcidCommand>(asked.type)) {
    case CcidCommand::power_on: return power_on(asked, body);
    case CcidCommand::power_off: return power_off(asked, body);
    case CcidCommand::get_slot_status:
      return body.empty() ? done(asked, CcidAnswer::slot_status) : failed(asked, kWrongLength);
    case CcidCommand::transfer: return transfer(asked, body);
    case CcidCommand::set_parameters: return set_parameters(asked, body);
    case CcidCommand::reset_parameters:
      if (!body.empty()) return failed(asked, kWrongLength);
      parameters_ = kUsual;
      return tell_parameters(asked);
    case CcidCommand::get_parameters: return body.empty() ? tell_parameters(asked) : failed(asked, kWrongLength);
    default: return failed(asked, kUnknownCommand);
  }
}

CcidSlot::Message CcidSlot::power_on(const CcidHeader& asked, Bytes body) {
  constexpr std::uint8_t kLowestVoltage = 3;  // automatic, 5 V, 3 V, 1.8 V
  if (!body.empty()) return failed(asked, kWrongLength);
  if (asked.rest[0] > kLowestVoltage) return failed(asked, kWrongByte7);
  const auto reset = card_.power_on();
  has_power_ = !reset.empty();
  parameters_ = kUsual;
  return has_power_ ? done(asked, CcidAnswer::data_block, reset) : failed(asked, kMute);
}

CcidSlot::Message CcidSlot::power_off(const CcidHeader& asked, Bytes body) {
  if (!body.empty()) return failed(asked, kWrongLength);
  if (has_power_) card_.power_off();
  has_power_ = false;
  return done(asked, CcidAnswer::slot_status);
}

/// A whole APDU: none needs several messages (wLevelParameter 0; 6.1.4).
CcidSlot::Message CcidSlot::transfer(const CcidHeader& asked, Bytes body) {
  constexpr std::size_t kShortestCommand = 4;
  if (asked.rest[1] != 0 || asked.rest[2] != 0) return failed(asked, kWrongByte8);
  if (body.size() < kShortestCommand) return failed(asked, kWrongLength);
  if (!has_power_) return failed(asked, kMute);
  const auto response = card_.transmit(body);
  if (response.empty() || response.size() > CcidCollector::kLongest - CcidHeader::kSize) return failed(asked, kMute);
  return done(asked, CcidAnswer::data_block, response);
}

/// Of T=0 alone. They change nothing: there is no wire to the card.
CcidSlot::Message CcidSlot::set_parameters(const CcidHeader& asked, Bytes body) {
  if (asked.rest[0] != 0) return failed(asked, kWrongByte7);
  if (body.size() != parameters_.size()) return failed(asked, kWrongLength);
  std::transform(body.begin(), body.end(), parameters_.begin(),
                 [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return tell_parameters(asked);
}

CcidSlot::Message CcidSlot::tell_parameters(const CcidHeader& asked) const {
  return done(asked, CcidAnswer::parameters, std::as_bytes(std::span(parameters_)));
}

CcidSlot::Message CcidSlot::end_abort(const CcidHeader& asked) {
  if (aborting_ && *aborting_ != asked.sequence) return failed(asked, kAborted);
  aborting_.reset();
  return done(asked, CcidAnswer::slot_status);
}

CcidSlot::Message CcidSlot::done(const CcidHeader& asked, CcidAnswer type, Bytes body) const {
  CcidHeader said{.type = static_cast<std::uint8_t>(type), .slot = asked.slot, .sequence = asked.sequence};
  said.rest = {has_power_ ? kCardActive : kCardInactive, 0, 0};
  return write_ccid(said, body);
}

CcidSlot::Message CcidSlot::failed(const CcidHeader& asked, std::uint8_t error) const {
  CcidHeader said{
      .type = static_cast<std::uint8_t>(answer_to(asked.type)), .slot = asked.slot, .sequence = asked.sequence};
  const std::uint8_t card = asked.slot != kOnlySlot ? kNoCard : has_power_ ? kCardActive : kCardInactive;
  said.rest = {static_cast<std::uint8_t>(kFailed | card), error, 0};
  return write_ccid(said, {});
}

}  // namespace usbloop::device_sim
