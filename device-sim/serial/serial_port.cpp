#include "device-sim/serial/serial_port.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/log.h"
#include "device-sim/emulation/plain_descriptors.h"

namespace usbloop::device_sim {
namespace {

using usbredir::Speed;
namespace type = usbredir::descriptor_type;

// bmRequestType and bRequest in one (PSTN 1.20, 6.3).
constexpr unsigned kSetLineCoding = 0x2120, kGetLineCoding = 0xa121, kSetControlLineState = 0x2122, kSendBreak = 0x2123;
constexpr std::size_t kCodingSize = 7;
constexpr std::uint8_t kCommunication = 2, kData = 0x0a;

void write_serial_endpoint(usbredir::DescriptorWriter& writer, std::uint8_t address, Speed speed) {
  constexpr std::uint8_t kBulk = 2, kInterrupt = 3;
  if (address == SerialPort::kNotify) {
    // Each 16 ms: in frames, and at high speed 2^(n-1) microframes.
    writer.begin(type::kEndpoint).u8(address).u8(kInterrupt).u16(16).u8(speed == Speed::high ? 8 : 16);
  } else {
    writer.begin(type::kEndpoint).u8(address).u8(kBulk).u16(speed == Speed::high ? 512 : 64).u8(0);
  }
}

void write_serial(usbredir::DescriptorWriter& writer, Speed speed) {
  constexpr std::uint8_t kClassInterface = 0x24, kAbstractControl = 2, kAtCommands = 1;
  writer.begin(type::kInterface).u8(0).u8(0).u8(1).u8(kCommunication).u8(kAbstractControl).u8(kAtCommands).u8(0);
  writer.begin(kClassInterface).u8(0).u16(0x0110);  // header: CDC 1.10
  writer.begin(kClassInterface).u8(1).u8(0).u8(1);  // calls: the device handles none; data interface 1
  writer.begin(kClassInterface).u8(2).u8(0x06);     // line coding and state, breaks
  writer.begin(kClassInterface).u8(6).u8(0).u8(1);  // interface 0 controls interface 1
  write_serial_endpoint(writer, SerialPort::kNotify, speed);
  writer.begin(type::kInterface).u8(1).u8(0).u8(2).u8(kData).u8(0).u8(0).u8(0);
  write_serial_endpoint(writer, SerialPort::kOut, speed);
  write_serial_endpoint(writer, SerialPort::kIn, speed);
}

std::uint8_t octet(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

}  // namespace

SerialPort::SerialPort(const SerialPortOptions& options, std::unique_ptr<FarEnd> far_end)
    : description_{options.vendor_id, options.product_id,    options.speed, "Arduino", "Uno",
                   options.serial,    "emulated serial port"},
      descriptors_(plain_descriptors(
          description_, {.device_class = kCommunication, .interfaces = 2, .write_interfaces = write_serial})),
      far_end_(std::move(far_end)) {}

void SerialPort::reset() {
  coding_ = {};
  lines_ = 0;
  told_.reset();
  far_end_->reset();
}

ControlReply SerialPort::request(const SetupPacket& setup, std::span<const std::byte> data) {
  if (setup.index != 0) return {};  // interface 0 controls
  switch (unsigned{setup.request_type} << 8 | setup.request) {
    case kSetLineCoding: return setup.value == 0 ? set_coding(data) : ControlReply{};
    case kGetLineCoding: return setup.value == 0 ? get_coding() : ControlReply{};
    case kSetControlLineState:
      if (setup.value > 3 || !data.empty()) return {};
      lines_ = static_cast<std::uint8_t>(setup.value);
      if ((lines_ & 1) == 0) far_end_->clear();  // the guest has hung up
      return {TransferStatus::success, {}};
    case kSendBreak: return {data.empty() ? TransferStatus::success : TransferStatus::stall, {}};
    default: return {};
  }
}

ControlReply SerialPort::set_coding(std::span<const std::byte> data) {
  if (data.size() != kCodingSize) return {};
  LineCoding coding;
  coding.rate = 0;
  for (std::size_t at = 4; at-- > 0;) coding.rate = coding.rate << 8 | octet(data, at);
  coding.stop_bits = octet(data, 4);
  coding.parity = octet(data, 5);
  coding.data_bits = octet(data, 6);
  const bool has_size = (coding.data_bits >= 5 && coding.data_bits <= 8) || coding.data_bits == 16;
  if (coding.rate == 0 || coding.stop_bits > 2 || coding.parity > 4 || !has_size) return {};
  coding_ = coding;
  spdlog::info("{}: {} bit/s, {} data bits, {} parity", description_.label(), coding.rate, coding.data_bits,
               std::array{"no", "odd", "even", "mark", "space"}.at(coding.parity));
  return {TransferStatus::success, {}};
}

ControlReply SerialPort::get_coding() const {
  std::vector<std::byte> data;
  for (unsigned shift = 0; shift < 32; shift += 8) data.push_back(static_cast<std::byte>(coding_.rate >> shift & 0xff));
  for (const std::uint8_t value : {coding_.stop_bits, coding_.parity, coding_.data_bits})
    data.push_back(std::byte{value});
  return {TransferStatus::success, std::move(data)};
}

OutReply SerialPort::out(Pipe pipe, std::span<const std::byte> data) {
  if (pipe.endpoint != kOut) return OutReply::failed(TransferStatus::stall);
  return far_end_->put(data);
}

InReply SerialPort::in(Pipe pipe, std::span<std::byte> room) {
  if (pipe.endpoint == kNotify) return notify(room);
  if (pipe.endpoint != kIn) return InReply::stall();
  if (far_end_->empty()) return InReply::not_yet();
  return InReply::data(far_end_->take(room));
}

/// SERIAL_STATE (PSTN 1.20, 6.5.4), when the guest does not know it.
InReply SerialPort::notify(std::span<std::byte> room) {
  if (told_ == carrier()) return InReply::not_yet();
  told_ = carrier();
  const std::array<std::uint8_t, 10> state = {0xa1, 0x20, 0, 0, 0, 0, 2, 0, *told_, 0};
  const auto bytes = std::as_bytes(std::span(state)).first(std::min(room.size(), state.size()));
  std::copy(bytes.begin(), bytes.end(), room.begin());
  return InReply::data(bytes.size());
}

}  // namespace usbloop::device_sim
