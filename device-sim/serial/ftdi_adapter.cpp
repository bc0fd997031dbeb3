#include "device-sim/serial/ftdi_adapter.h"

#include <algorithm>
#include <array>

#include "common/log.h"
#include "device-sim/emulation/plain_descriptors.h"

namespace usbloop::device_sim {
namespace {

namespace type = usbredir::descriptor_type;

// The vendor's requests.
constexpr std::uint8_t kReset = 0x00, kSetModem = 0x01, kSetFlow = 0x02, kSetRate = 0x03, kSetData = 0x04,
                       kGetModem = 0x05, kSetEvent = 0x06, kSetError = 0x07, kSetLatency = 0x09, kGetLatency = 0x0a,
                       kReadEeprom = 0x90;
constexpr std::uint8_t kVendorOut = 0x40, kVendorIn = 0xc0;
constexpr std::uint8_t kAlways = 0x01, kClearToSend = 0x10, kDataSetReady = 0x20, kCarrier = 0x80;  // state, byte 1
constexpr std::uint8_t kSent = 0x60;                                                                // state, byte 2

void write_ftdi(usbredir::DescriptorWriter& writer, usbredir::Speed) {
  constexpr std::uint8_t kVendor = 0xff, kBulk = 2;
  writer.begin(type::kInterface).u8(0).u8(0).u8(2).u8(kVendor).u8(kVendor).u8(kVendor).u8(2);
  for (const std::uint8_t address : {FtdiAdapter::kIn, FtdiAdapter::kOut}) {
    writer.begin(type::kEndpoint).u8(address).u8(kBulk).u16(FtdiAdapter::kPacket).u8(0);
  }
}

/// 3 MHz by a divisor with three bits of fraction in an order of their own; 0 and 1 stand for two rates.
std::uint32_t rate_of(std::uint16_t value, std::uint16_t index) {
  constexpr std::uint32_t kClock = 3'000'000;
  constexpr std::array<std::uint32_t, 8> kEighths = {0, 4, 2, 1, 3, 5, 6, 7};
  const std::uint32_t whole = value & 0x3fff;
  const std::uint32_t fraction = kEighths.at(static_cast<std::size_t>(value >> 14 | (index & 1) << 2));
  if (whole == 0 && fraction == 0) return kClock;
  if (whole == 1 && fraction == 0) return 2'000'000;
  return kClock * 8 / (whole * 8 + fraction);
}

}  // namespace

FtdiAdapter::FtdiAdapter(const FtdiAdapterOptions& options, std::unique_ptr<FarEnd> far_end)
    : description_{options.vendor_id, options.product_id, usbredir::Speed::full,    "FTDI",
                   "FT232R USB UART", options.serial,     "emulated serial adapter"},
      // By the release Linux knows the FT232R.
      descriptors_(plain_descriptors(description_, {.release = 0x0600, .write_interfaces = write_ftdi})),
      far_end_(std::move(far_end)) {}

void FtdiAdapter::reset() {
  rate_ = 0;
  lines_ = 0;
  latency_ = 16;
  told_.reset();
  far_end_->reset();
}

std::uint8_t FtdiAdapter::modem() const {
  std::uint8_t state = kAlways;
  if ((lines_ & 1) != 0 && far_end_->is_there()) state |= kDataSetReady | kCarrier;
  if ((lines_ & 2) != 0) state |= kClearToSend;
  return state;
}

ControlReply FtdiAdapter::request(const SetupPacket& setup, std::span<const std::byte> data) {
  if (setup.request_type == kVendorIn) return vendor_in(setup);
  if (setup.request_type != kVendorOut || !data.empty()) return {};
  return vendor_out(setup);
}

ControlReply FtdiAdapter::vendor_out(const SetupPacket& setup) {
  switch (setup.request) {
    case kReset:
      if (setup.value > 2) return {};
      if (setup.value != 2) far_end_->clear();  // all, or what the guest has not read
      break;
    case kSetModem: set_lines(setup.value); break;
    case kSetRate:
      rate_ = rate_of(setup.value, setup.index);
      spdlog::info("{}: {} bit/s", description_.label(), rate_);
      break;
    case kSetLatency:
      if (setup.value < 1 || setup.value > 255) return {};
      latency_ = static_cast<std::uint8_t>(setup.value);
      break;
    // The bits are as fast as USB, and have no flow control and no form of their own.
    case kSetFlow:
    case kSetData:
    case kSetEvent:
    case kSetError: break;
    default: return {};
  }
  return {TransferStatus::success, {}};
}

/// The high byte says which of the lines is meant.
void FtdiAdapter::set_lines(std::uint16_t value) {
  const auto mask = static_cast<std::uint8_t>(value >> 8 & 3);
  lines_ = static_cast<std::uint8_t>((lines_ & ~mask) | (value & mask));
  if ((lines_ & 1) == 0) far_end_->clear();  // the guest has hung up
}

ControlReply FtdiAdapter::vendor_in(const SetupPacket& setup) const {
  switch (setup.request) {
    case kGetModem: return {TransferStatus::success, {std::byte{modem()}, std::byte{kSent}}};
    case kGetLatency: return {TransferStatus::success, {std::byte{latency_}}};
    case kReadEeprom: return {TransferStatus::success, {std::byte{0xff}, std::byte{0xff}}};
    default: return {};
  }
}

OutReply FtdiAdapter::out(Pipe pipe, std::span<const std::byte> data) {
  if (pipe.endpoint != kOut) return OutReply::failed(TransferStatus::stall);
  return far_end_->put(data);
}

/// Packets of 64 bytes, the last one shorter, each with the state in front. The chip repeats the state by its latency
/// timer too; this one tells of it when it has changed.
InReply FtdiAdapter::in(Pipe pipe, std::span<std::byte> room) {
  if (pipe.endpoint != kIn) return InReply::stall();
  if ((far_end_->empty() && told_ == modem()) || room.size() < kState) return InReply::not_yet();
  told_ = modem();
  std::size_t at = 0;
  do {
    room[at++] = std::byte{*told_};
    room[at++] = std::byte{kSent};
    at += far_end_->take(room.subspan(at, std::min(room.size() - at, kPacket - kState)));
  } while (at % kPacket == 0 && !far_end_->empty() && room.size() - at > kState);
  return InReply::data(at);
}

}  // namespace usbloop::device_sim
