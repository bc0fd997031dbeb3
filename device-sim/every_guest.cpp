#include "device-sim/every_guest.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstring>

#include "device-sim/every_device_rig.h"
#include "device-sim/storage/test_support.h"

namespace usbloop::device_sim::test {
namespace {

thread_local Time chance_time = Time{} + std::chrono::seconds(1);

usbredir::ParserOptions options_of(std::uint32_t bits) {
  usbredir::ParserOptions options;
  options.side = usbredir::Side::usb_guest;
  options.capabilities.clear();
  for (int capability = 0; capability < 32; ++capability) {
    if ((bits >> capability & 1) != 0) options.capabilities.push_back(capability);
  }
  return options;
}

std::unique_ptr<EmulatedHost> host_of(Device& device) {
  auto host = EmulatedHost::make(std::make_unique<Lent>(device), {}, [] { return chance_time; });
  REQUIRE(host);
  return std::move(*host);
}

}  // namespace

ChanceGuest::ChanceGuest(Device& device, std::uint32_t bits, std::uint32_t seed)
    : host_(host_of(device)), parser_(options_of(bits), *this), random_(seed) {
  const auto configuration = usbredir::parse_configuration(device.descriptors().configuration);
  REQUIRE(configuration);
  for (const auto& setting : configuration->settings) {
    for (const auto& endpoint : setting.endpoints) endpoints_.push_back(endpoint.address);
  }
  carry();
}

void ChanceGuest::count(std::uint64_t id) {
  ++answers_;
  if (is_gone_ || asked_.erase(id) != 1) ++wrong_;
}

void ChanceGuest::on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) {
  count(id);
  if (data.size() > header.length) ++wrong_;
  last_control_.assign(data.bytes().begin(), data.bytes().end());
}

void ChanceGuest::on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header&, usbredir::Payload data) {
  constexpr std::size_t kMostAsked = 0xffff;
  count(id);
  if (data.size() > kMostAsked) ++wrong_;
}

std::uint64_t ChanceGuest::ask() {
  asked_.insert(++id_);
  return id_;
}

void ChanceGuest::carry() {
  while (!parser_.pending().empty() || !host_->pending().empty()) {
    while (!host_->pending().empty()) {
      REQUIRE(parser_.feed(host_->pending()));
      host_->consume(host_->pending().size());
    }
    if (parser_.pending().empty()) continue;
    const auto taken = host_->receive(parser_.pending());
    REQUIRE(taken);
    parser_.consume(*taken);
  }
}

/// Mostly one that the device has.
std::uint8_t ChanceGuest::any_endpoint() {
  return chance(10) == 0 ? byte() & 0x8f : endpoints_[chance(static_cast<std::uint32_t>(endpoints_.size()))];
}

/// Bytes of chance, a command of Bulk-Only storage, or a command unit of UAS.
std::vector<std::byte> ChanceGuest::any_data() {
  constexpr std::array<std::uint8_t, 12> kOperations = {0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e,
                                                        0x25, 0x28, 0x2a, 0x35, 0x88, 0x9e};
  std::vector<std::uint8_t> command(chance(2) == 0 ? 10 : 16);
  command[0] = kOperations.at(chance(kOperations.size()));
  command[5] = static_cast<std::uint8_t>(chance(70));
  command[8] = static_cast<std::uint8_t>(chance(8));
  switch (chance(3)) {
    case 0: return command_wrapper(command, chance(5) * 512, chance(2) == 0, chance(4));
    case 1: {
      std::vector<std::byte> unit(32);
      unit[0] = static_cast<std::byte>(chance(4) == 0 ? 5 : 1);
      unit[3] = static_cast<std::byte>(chance(18));
      std::memcpy(unit.data() + 16, command.data(), command.size());
      return unit;
    }
    default: {
      std::vector<std::byte> bytes(chance(1200));
      for (auto& value : bytes) value = static_cast<std::byte>(byte());
      return bytes;
    }
  }
}

/// Requests of all types to all recipients, with fields that make sense more often than chance would have it.
void ChanceGuest::act_control() {
  constexpr std::array<std::uint8_t, 6> kTypes = {0x00, 0x01, 0x02, 0x20, 0x21, 0x40};
  constexpr std::array<std::uint8_t, 12> kRequests = {0x00, 0x01, 0x03, 0x06, 0x08, 0x0a,
                                                      0x0b, 0x20, 0x22, 0x81, 0x83, 0xfe};
  const bool is_in = chance(2) == 0;
  const auto type = static_cast<std::uint8_t>((is_in ? 0x80 : 0) | kTypes.at(chance(kTypes.size())));
  const auto request = chance(3) == 0 ? byte() : kRequests.at(chance(kRequests.size()));
  const auto value = static_cast<std::uint16_t>(chance(2) == 0 ? std::uint32_t{byte()} << 8 : chance(0x10000));
  const auto index = static_cast<std::uint16_t>(chance(2) == 0 ? any_endpoint() : byte());
  auto data = is_in ? std::vector<std::byte>{} : any_data();
  if (!is_in && chance(2) == 0) data.resize(chance(40));
  const auto length = static_cast<std::uint16_t>(is_in ? chance(600) : data.size());
  const auto endpoint = static_cast<std::uint8_t>(is_in ? 0x80 : 0);
  parser_.send(ask(), usb_redir_control_packet_header{endpoint, request, type, 0, value, index, length}, data);
}

void ChanceGuest::act_bulk() {
  const std::uint8_t endpoint = any_endpoint();
  const std::uint32_t stream = chance(2) == 0 ? 0 : chance(18);
  if ((endpoint & 0x80) != 0) {
    const auto length = static_cast<std::uint16_t>(chance(2) == 0 ? chance(4) * 512 : chance(0x10000));
    parser_.send(ask(), usb_redir_bulk_packet_header{endpoint, 0, length, stream, 0});
    return;
  }
  const auto data = any_data();
  const auto length = static_cast<std::uint16_t>(data.size());
  switch (chance(4)) {
    case 0: parser_.send(ask(), usb_redir_interrupt_packet_header{endpoint, 0, length}, data); break;
    case 1: parser_.send(++id_, usb_redir_iso_packet_header{endpoint, 0, length}, data); break;
    default: parser_.send(ask(), usb_redir_bulk_packet_header{endpoint, 0, length, stream, 0}, data);
  }
}

void ChanceGuest::act_setting() {
  const auto interface = static_cast<std::uint8_t>(chance(8) == 0 ? byte() : chance(3));
  switch (chance(8)) {
    case 0: parser_.send_reset(); break;
    case 1: parser_.send(ask(), usb_redir_set_configuration_header{static_cast<std::uint8_t>(chance(3))}); break;
    case 2: parser_.send_get_configuration(ask()); break;
    case 3: parser_.send(ask(), usb_redir_get_alt_setting_header{interface}); break;
    default: parser_.send(ask(), usb_redir_set_alt_setting_header{interface, static_cast<std::uint8_t>(chance(8))});
  }
}

void ChanceGuest::act_stream() {
  const std::uint8_t endpoint = any_endpoint();
  const auto both = [&](int capability) {
    return parser_.peer_has(capability);  // libusbredirparser sends nothing that we have not
  };
  switch (chance(8)) {
    case 0:
    case 1: parser_.send(ask(), usb_redir_start_iso_stream_header{endpoint, byte(), byte()}); break;
    case 2: parser_.send(ask(), usb_redir_stop_iso_stream_header{endpoint}); break;
    case 3: parser_.send(ask(), usb_redir_start_interrupt_receiving_header{endpoint}); break;
    case 4: parser_.send(ask(), usb_redir_stop_interrupt_receiving_header{endpoint}); break;
    case 5:
      if (both(usb_redir_cap_bulk_streams)) {
        parser_.send(ask(),
                     usb_redir_alloc_bulk_streams_header{chance(2) == 0 ? 0xa0004U : chance(1U << 31), chance(18)});
      }
      break;
    case 6:
      if (both(usb_redir_cap_bulk_streams)) parser_.send(ask(), usb_redir_free_bulk_streams_header{0xa0004U});
      break;
    default:
      if (!both(usb_redir_cap_bulk_receiving)) break;
      if (chance(3) == 0) {
        parser_.send(ask(), usb_redir_stop_bulk_receiving_header{0, endpoint});
      } else {
        parser_.send(ask(), usb_redir_start_bulk_receiving_header{0, chance(2) == 0 ? 512 : chance(4096), endpoint, 0});
      }
  }
}

void ChanceGuest::act() {
  switch (chance(8)) {
    case 0:
    case 1: act_control(); break;
    case 2:
    case 3:
    case 4: act_bulk(); break;
    case 5: act_setting(); break;
    case 6: act_stream(); break;
    default:
      parser_.send_cancel_data_packet(id_ - chance(12));
      chance_time += std::chrono::milliseconds(chance(60));
      host_->look();
  }
  // Several acts may come at once.
  if (chance(3) != 0) carry();
}

std::vector<std::byte> ChanceGuest::descriptor() {
  carry();
  parser_.send_reset();
  parser_.send(ask(), usb_redir_set_configuration_header{1});
  carry();
  last_control_.clear();
  parser_.send(ask(), usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0100, 0, 18});
  carry();
  return last_control_;
}

void ChanceGuest::disconnect() {
  carry();
  host_->disconnect();
  carry();
}

}  // namespace usbloop::device_sim::test
