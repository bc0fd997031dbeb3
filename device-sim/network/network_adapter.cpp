#include "device-sim/network/network_adapter.h"

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

// bmRequestType and bRequest in one (ECM 1.20, 6.2).
constexpr unsigned kSetPacketFilter = 0x2143, kGetStatistic = 0xa144;
// What a guest wants to have (ECM 1.20, 6.2.4).
constexpr std::uint16_t kAllFrames = 0x01, kAllGroups = 0x02, kOwnFrames = 0x04, kToEverybody = 0x08,
                        kKnownFilters = 0x1f;
constexpr std::uint16_t kUsualFilter = kOwnFrames | kToEverybody;
constexpr std::uint8_t kEthernetInterface = 0, kFrameInterface = 1;
constexpr std::uint8_t kMacString = 4;
constexpr std::uint8_t kEthernetClass = 2, kFrameClass = 0x0a;

std::size_t data_packet(Speed speed) { return speed == Speed::high ? 512 : 64; }

void write_network_endpoint(usbredir::DescriptorWriter& writer, std::uint8_t address, Speed speed) {
  constexpr std::uint8_t kBulk = 2, kInterrupt = 3;
  if (address == NetworkAdapter::kNotify) {
    // Each 32 ms: in frames, and at high speed 2^(n-1) microframes.
    writer.begin(type::kEndpoint).u8(address).u8(kInterrupt).u16(16).u8(speed == Speed::high ? 9 : 32);
  } else {
    writer.begin(type::kEndpoint).u8(address).u8(kBulk).u16(static_cast<std::uint16_t>(data_packet(speed))).u8(0);
  }
}

/// The data interface has no endpoints in its first setting, by which a guest resets it (ECM 1.20, 3.3).
void write_network(usbredir::DescriptorWriter& writer, Speed speed) {
  constexpr std::uint8_t kClassInterface = 0x24, kEthernetControl = 6;
  constexpr std::uint32_t kStatistics = 0x1f;  // the five of statistic()
  writer.begin(type::kInterface).u8(kEthernetInterface).u8(0).u8(1);
  writer.u8(kEthernetClass).u8(kEthernetControl).u8(0).u8(0);
  writer.begin(kClassInterface).u8(0).u16(0x0120);                                 // header: CDC 1.20
  writer.begin(kClassInterface).u8(6).u8(kEthernetInterface).u8(kFrameInterface);  // the one controls the other
  writer.begin(kClassInterface).u8(0x0f).u8(kMacString).u32(kStatistics);
  writer.u16(network::kLongestFrame).u16(0).u8(0);  // no list of groups, no wake-up
  write_network_endpoint(writer, NetworkAdapter::kNotify, speed);
  writer.begin(type::kInterface).u8(kFrameInterface).u8(0).u8(0).u8(kFrameClass).u8(0).u8(0).u8(0);
  writer.begin(type::kInterface).u8(kFrameInterface).u8(1).u8(2).u8(kFrameClass).u8(0).u8(0).u8(0);
  write_network_endpoint(writer, NetworkAdapter::kOut, speed);
  write_network_endpoint(writer, NetworkAdapter::kIn, speed);
}

/// What bulk transfers carry at most: 13 packets of 512 bytes in a microframe, 19 of 64 in a frame (USB 2.0, 5.8.4).
std::uint32_t link_rate(Speed speed) { return speed == Speed::high ? 13U * 512 * 8 * 8000 : 19U * 64 * 8 * 1000; }

}  // namespace

NetworkAdapter::NetworkAdapter(const NetworkAdapterOptions& options, std::unique_ptr<network::Network> network)
    : description_{options.vendor_id,          options.product_id,          options.speed,
                   "Netchip Technology, Inc.", "Linux-USB Ethernet Gadget", options.serial,
                   "emulated network adapter"},
      descriptors_(plain_descriptors(
          description_, {.device_class = kEthernetClass, .interfaces = 2, .write_interfaces = write_network})),
      mac_(options.mac),
      network_(std::move(network)),
      collector_(data_packet(options.speed)),
      divider_(data_packet(options.speed)),
      filter_(kUsualFilter) {
  descriptors_.strings.resize(kMacString - 1U);  // the serial number may be missing
  descriptors_.strings.push_back(network::mac_digits(mac_));
}

void NetworkAdapter::reset() {
  is_open_ = false;
  filter_ = kUsualFilter;
  begin_link();
  network_->restart();  // another guest may have the device now
}

void NetworkAdapter::begin_link() {
  collector_.clear();
  divider_.clear();
  told_ = 0;
}

void NetworkAdapter::select(std::uint8_t interface, std::uint8_t alternate) {
  if (interface != kFrameInterface) return;
  is_open_ = alternate == 1;
  begin_link();
  // What has come meanwhile is nobody's.
  while (!network_->receive().empty()) {
  }
}

ControlReply NetworkAdapter::request(const SetupPacket& setup, std::span<const std::byte> data) {
  if (setup.index != kEthernetInterface) return {};
  switch (unsigned{setup.request_type} << 8 | setup.request) {
    case kSetPacketFilter:
      if ((setup.value & ~kKnownFilters) != 0 || !data.empty()) return {};
      filter_ = setup.value;
      return {TransferStatus::success, {}};
    case kGetStatistic: return statistic(setup.value);
    default: return {};
  }
}

/// By its number (ECM 1.20, 6.2.5).
ControlReply NetworkAdapter::statistic(std::uint16_t selector) const {
  const std::array<std::uint32_t, 5> all = {sent_, received_, collector_.dropped(), broken_,
                                            static_cast<std::uint32_t>(network_->lost())};
  if (selector < 1 || selector > all.size()) return {};
  std::vector<std::byte> data;
  for (unsigned shift = 0; shift < 32; shift += 8)
    data.push_back(static_cast<std::byte>(all.at(selector - 1U) >> shift & 0xff));
  return {TransferStatus::success, std::move(data)};
}

OutReply NetworkAdapter::out(Pipe pipe, std::span<const std::byte> data) {
  if (pipe.endpoint != kOut) return OutReply::failed(TransferStatus::stall);
  if (!network_->has_room()) return OutReply::not_yet();
  if (const auto frame = collector_.add(data)) {
    network_->send(*frame);
    ++sent_;
  }
  return OutReply::taken(data.size());
}

InReply NetworkAdapter::in(Pipe pipe, std::span<std::byte> room) {
  if (pipe.endpoint == kNotify) return notify(room);
  if (pipe.endpoint != kIn) return InReply::stall();
  while (divider_.is_done()) {
    auto frame = network_->receive();
    if (frame.empty()) return InReply::not_yet();
    if (is_wanted(frame)) divider_.begin(std::move(frame));
  }
  const InReply reply = divider_.take(room);
  if (divider_.is_done()) ++(reply.kind == InReply::Kind::data ? received_ : broken_);
  return reply;
}

bool NetworkAdapter::is_wanted(const network::Frame& frame) const {
  const auto to = network::destination_of(frame);
  std::uint16_t by = kAllFrames;
  if (to == network::kBroadcast) {
    by |= kToEverybody;
  } else if (network::is_group(to)) {
    by |= kAllGroups;
  } else if (to == mac_) {
    by |= kOwnFrames;
  }
  return (filter_ & by) != 0;
}

/// How fast the link is, and that it is there (CDC 1.20, 6.3), once the data interface has been opened.
InReply NetworkAdapter::notify(std::span<std::byte> room) {
  constexpr std::uint8_t kToGuest = 0xa1, kConnection = 0x00, kSpeedChange = 0x2a;
  constexpr std::uint8_t kSpeedSize = 8;
  if (!is_open_ || told_ == 2) return InReply::not_yet();
  std::vector<std::uint8_t> said;
  if (told_++ == 0) {
    said = {kToGuest, kSpeedChange, 0, 0, kEthernetInterface, 0, kSpeedSize, 0};
    const std::uint32_t rate = link_rate(description_.speed);
    for (unsigned shift = 0; shift < 64; shift += 8)
      said.push_back(static_cast<std::uint8_t>(rate >> shift % 32 & 0xff));
  } else {
    said = {kToGuest, kConnection, 1, 0, kEthernetInterface, 0, 0, 0};
  }
  const auto bytes = std::as_bytes(std::span(said)).first(std::min(room.size(), said.size()));
  std::copy(bytes.begin(), bytes.end(), room.begin());
  return InReply::data(bytes.size());
}

/// After a halt the rest of a frame is worth nothing.
bool NetworkAdapter::clear_halt(std::uint8_t endpoint) {
  if (endpoint == kOut) collector_.clear();
  if (endpoint == kIn) divider_.clear();
  return true;
}

/// Nothing is stored. It is the end of a redirection, and what the person is told of it.
Result<> NetworkAdapter::flush() {
  if (std::exchange(reported_, sent_ + received_) != sent_ + received_) {
    spdlog::info("{}: {} frames of the guest, {} for it; {} of the guest were not let through, {} for it got lost",
                 description_.label(), sent_, received_, network_->refused(), network_->lost());
  }
  return {};
}

}  // namespace usbloop::device_sim
