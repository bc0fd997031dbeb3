#include "device-sim/smart_card/smart_card_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "device-sim/emulation/plain_descriptors.h"

namespace usbloop::device_sim {
namespace {

namespace type = usbredir::descriptor_type;

constexpr std::uint16_t kBulkPacket = 64, kInterruptPacket = 8;
// A guest that does not read gets no more commands through.
constexpr std::size_t kMostAnswers = 4;

/// CCID 1.1, 5.1. What a reader does at its contacts it does by itself: voltage, clock, rate and T=0. Whole APDUs,
/// short and extended ones, are what it exchanges. The clock and the rates are those of a usual card.
void write_class_descriptor(usbredir::DescriptorWriter& writer) {
  constexpr std::uint8_t kSmartCardDevice = 0x21, kAllVoltages = 7, kEchoed = 0xff;
  constexpr std::uint32_t kT0 = 1, kKilohertz = 4000, kBitRate = 10752, kLongestBlock = 254;
  constexpr std::uint32_t kAutomatic = 0x02 | 0x08 | 0x10 | 0x20 | 0x80, kExtendedApdus = 0x40000;
  writer.begin(kSmartCardDevice).u16(0x0110).u8(0).u8(kAllVoltages).u32(kT0);
  writer.u32(kKilohertz).u32(kKilohertz).u8(0).u32(kBitRate).u32(kBitRate).u8(0);
  writer.u32(kLongestBlock).u32(0).u32(0).u32(kAutomatic | kExtendedApdus).u32(CcidCollector::kLongest);
  writer.u8(kEchoed).u8(kEchoed).u16(0).u8(0).u8(1);  // no display, no keys for a PIN, one command at a time
}

void write_smart_card_reader(usbredir::DescriptorWriter& writer, usbredir::Speed /*speed*/) {
  constexpr std::uint8_t kSmartCardClass = 0x0b, kBulk = 2, kInterrupt = 3, kInterval = 16;
  writer.begin(type::kInterface).u8(0).u8(0).u8(3).u8(kSmartCardClass).u8(0).u8(0).u8(0);
  write_class_descriptor(writer);
  writer.begin(type::kEndpoint).u8(SmartCardReader::kNotify).u8(kInterrupt).u16(kInterruptPacket).u8(kInterval);
  writer.begin(type::kEndpoint).u8(SmartCardReader::kIn).u8(kBulk).u16(kBulkPacket).u8(0);
  writer.begin(type::kEndpoint).u8(SmartCardReader::kOut).u8(kBulk).u16(kBulkPacket).u8(0);
}

}  // namespace

SmartCardReader::SmartCardReader(const SmartCardReaderOptions& options, std::unique_ptr<SmartCard> card)
    : description_{options.vendor_id, options.product_id, usbredir::Speed::full,       "Gemalto",
                   "GemPC433 SL",     options.serial,     "emulated smart-card reader"},
      descriptors_(plain_descriptors(description_, {.write_interfaces = write_smart_card_reader})),
      card_(std::move(card)),
      slot_(*card_) {}

void SmartCardReader::reset() {
  slot_.reset();
  collector_.clear();
  answers_.clear();
  sent_ = 0;
  told_ = false;
}

/// ABORT (CCID 1.1, 5.3.1). The requests for clocks and rates are of readers that have several.
ControlReply SmartCardReader::request(const SetupPacket& setup, std::span<const std::byte> data) {
  constexpr unsigned kAbort = 0x2101;
  if ((unsigned{setup.request_type} << 8 | setup.request) != kAbort || setup.index != 0 || !data.empty()) return {};
  const auto slot = static_cast<std::uint8_t>(setup.value & 0xff);
  if (!slot_.begin_abort(slot, static_cast<std::uint8_t>(setup.value >> 8))) return {};
  answers_.clear();
  sent_ = 0;
  return {TransferStatus::success, {}};
}

OutReply SmartCardReader::out(Pipe pipe, std::span<const std::byte> data) {
  if (pipe.endpoint != kOut) return OutReply::failed(TransferStatus::stall);
  if (answers_.size() >= kMostAnswers) return OutReply::not_yet();
  switch (collector_.add(data, kBulkPacket)) {
    case CcidCollector::State::more: break;
    case CcidCollector::State::complete: answers_.push_back(slot_.answer(collector_.take())); break;
    case CcidCollector::State::broken: return OutReply::failed(TransferStatus::stall);
  }
  return OutReply::taken(data.size());
}

InReply SmartCardReader::in(Pipe pipe, std::span<std::byte> room) {
  if (pipe.endpoint == kNotify) return notify(room);
  if (pipe.endpoint != kIn) return InReply::stall();
  if (answers_.empty()) return InReply::not_yet();
  const auto rest = std::span<const std::byte>(answers_.front()).subspan(sent_);
  const auto piece = rest.first(std::min(rest.size(), room.size()));
  std::copy(piece.begin(), piece.end(), room.begin());
  sent_ += piece.size();
  if (piece.size() == rest.size()) {
    answers_.pop_front();
    sent_ = 0;
  }
  return InReply::data(piece.size());
}

/// NotifySlotChange (CCID 1.1, 6.3.1): there is a card, and there was none.
InReply SmartCardReader::notify(std::span<std::byte> room) {
  constexpr std::array kSlotChange = {std::byte{0x50}, std::byte{0x03}};
  if (std::exchange(told_, true)) return InReply::not_yet();
  const auto size = std::min(room.size(), kSlotChange.size());
  std::copy_n(kSlotChange.begin(), size, room.begin());
  return InReply::data(size);
}

/// What was under way at the endpoint is worth nothing after a halt.
bool SmartCardReader::clear_halt(std::uint8_t endpoint) {
  if (endpoint == kOut) collector_.clear();
  if (endpoint == kIn && sent_ != 0) {
    answers_.pop_front();
    sent_ = 0;
  }
  return true;
}

}  // namespace usbloop::device_sim
