#include "device-sim/input/hid_function.h"

#include <algorithm>

namespace usbloop::device_sim {
namespace {

using usbredir::DescriptorWriter;

constexpr std::uint8_t kHidDescriptor = 0x21, kReportDescriptor = 0x22;
constexpr std::uint8_t kInputReport = 1, kOutputReport = 2;

// bmRequestType and bRequest in one (HID 1.11, 7.1 and 7.2).
constexpr unsigned kGetClassDescriptor = 0x8106, kGetReport = 0xa101, kGetIdle = 0xa102, kGetProtocol = 0xa103,
                   kSetReport = 0x2109, kSetIdle = 0x210a, kSetProtocol = 0x210b;

DescriptorWriter& write_hid(DescriptorWriter& writer, std::size_t report_descriptor) {
  return writer.begin(kHidDescriptor)
      .u16(0x0111)
      .u8(0)  // for no country
      .u8(1)
      .u8(kReportDescriptor)
      .u16(static_cast<std::uint16_t>(report_descriptor));
}

ControlReply done(std::vector<std::byte> data = {}) { return {TransferStatus::success, std::move(data)}; }

}  // namespace

void HidFunction::write_interface(DescriptorWriter& writer, std::uint8_t protocol, std::size_t report_descriptor,
                                  std::uint16_t packet, std::uint8_t interval, std::uint8_t interface) {
  constexpr std::uint8_t kHid = 3, kBoot = 1, kInterrupt = 3;
  const auto endpoint = static_cast<std::uint8_t>(kEndpoint + interface);
  writer.begin(usbredir::descriptor_type::kInterface).u8(interface).u8(0).u8(1);
  writer.u8(kHid).u8(protocol == kNoBoot ? 0 : kBoot).u8(protocol).u8(0);
  write_hid(writer, report_descriptor);
  writer.begin(usbredir::descriptor_type::kEndpoint).u8(endpoint).u8(kInterrupt).u16(packet).u8(interval);
}

void HidFunction::reset() {
  protocol_ = 1;
  idle_ = 0;
  std::fill(output_.begin(), output_.end(), std::byte{0});
}

std::optional<std::chrono::milliseconds> HidFunction::idle() const {
  if (idle_ == 0) return std::nullopt;
  return std::chrono::milliseconds(idle_ * 4);
}

ControlReply HidFunction::request(const SetupPacket& setup, std::span<const std::byte> data,
                                  std::span<const std::byte> input) {
  if (setup.index != interface_) return {};
  const auto high = static_cast<std::uint8_t>(setup.value >> 8);
  const auto low = static_cast<std::uint8_t>(setup.value);
  const unsigned request = unsigned{setup.request_type} << 8 | setup.request;
  if (is_plain_ && request != kGetClassDescriptor && request != kGetReport && request != kSetReport) return {};
  switch (request) {
    case kGetClassDescriptor: return low == 0 ? descriptor(high) : ControlReply{};
    case kGetReport: return get_report(setup.value, input);
    case kSetReport: return set_report(setup.value, data);
    case kGetIdle: return setup.value == 0 ? done({std::byte{idle_}}) : ControlReply{};
    case kSetIdle:
      if (low != 0) return {};  // of a report id
      idle_ = high;
      return done();
    case kGetProtocol: return setup.value == 0 ? done({std::byte{protocol_}}) : ControlReply{};
    case kSetProtocol:
      if (setup.value > 1) return {};
      protocol_ = low;
      return done();
    default: return {};
  }
}

ControlReply HidFunction::descriptor(std::uint8_t type) const {
  if (type == kReportDescriptor) {
    const auto bytes = std::as_bytes(report_descriptor_);
    return done({bytes.begin(), bytes.end()});
  }
  if (type != kHidDescriptor) return {};
  DescriptorWriter writer;
  return done(write_hid(writer, report_descriptor_.size()).finish());
}

ControlReply HidFunction::get_report(std::uint16_t value, std::span<const std::byte> input) const {
  if (value == kInputReport << 8) return done({input.begin(), input.end()});
  if (value == kOutputReport << 8 && !output_.empty()) return done(output_);
  return {};
}

ControlReply HidFunction::set_report(std::uint16_t value, std::span<const std::byte> data) {
  if (value != kOutputReport << 8 || output_.empty() || data.size() != output_.size()) return {};
  std::copy(data.begin(), data.end(), output_.begin());
  return done();
}

}  // namespace usbloop::device_sim
