#include "client/translation/stick_link.h"

#include <utility>

#include "common/log.h"

namespace usbloop::client {
namespace {

using usbredir::TransferStatus;

constexpr std::uint8_t kMassStorage = 0x08, kScsiTransparent = 0x06, kBulkOnlyTransport = 0x50;

usbredir::ParserOptions guest_side() {
  usbredir::ParserOptions options;
  options.side = usbredir::Side::usb_guest;
  return options;
}

TransferStatus status_of(std::uint8_t wire) {
  return wire <= usb_redir_babble ? static_cast<TransferStatus>(wire) : TransferStatus::io_error;
}

}  // namespace

StickLink::StickLink(usbredir::HostEnd& host) : host_(host), parser_(guest_side(), *this) {}

bool StickLink::pump() {
  bool moved = false;
  for (bool again = true; again;) {
    again = false;
    while (!host_.pending().empty()) {
      const auto bytes = host_.pending();
      const auto taken = parser_.feed(bytes);
      if (!taken) {
        fail(taken.error().message());
        return true;
      }
      if (*taken == 0) break;
      host_.consume(*taken);
      again = true;
    }
    while (!parser_.pending().empty() && host_.wants_input()) {
      const auto taken = host_.receive(parser_.pending());
      if (!taken || *taken == 0) break;
      parser_.consume(*taken);
      again = true;
    }
    moved = moved || again;
  }
  if (is_final(host_.state()) && state_ != State::failed) fail("the device is gone");
  return moved;
}

void StickLink::fail(std::string why) {
  state_ = State::failed;
  problem_ = std::move(why);
}

void StickLink::on_ep_info(const usb_redir_ep_info_header& header) {
  // With several, none is known to be the right one.
  const auto only_bulk = [&header](std::size_t first) -> std::uint8_t {
    std::uint8_t found = 0;
    for (std::uint8_t number = 1; number < 16; ++number) {
      if (header.type[first + number] != usb_redir_type_bulk) continue;
      if (found != 0) return 0;
      found = number;
    }
    return found;
  };
  const std::uint8_t in = only_bulk(16);
  endpoint_in_ = static_cast<std::uint8_t>(in == 0 ? 0 : in | 0x80);
  endpoint_out_ = only_bulk(0);
}

void StickLink::on_interface_info(const usb_redir_interface_info_header& header) { interfaces_ = header; }

void StickLink::on_device_connect(const usb_redir_device_connect_header& header) {
  announced_ = header;
  const bool is_stick = interfaces_.interface_count == 1 && interfaces_.interface_class[0] == kMassStorage &&
                        interfaces_.interface_subclass[0] == kScsiTransparent &&
                        interfaces_.interface_protocol[0] == kBulkOnlyTransport;
  if (!is_stick || endpoint_in_ == 0 || endpoint_out_ == 0)
    return fail("it is no stick with Bulk-Only Transport alone");
  parser_.send_get_configuration(expect([this](const TransferEnd&) {
    // A device that nobody has configured says 0; sticks have one configuration, and it is 1.
    if (configuration_ == 0) configuration_ = 1;
    configure([this](const TransferEnd& end) {
      if (end.status != TransferStatus::success) return fail("it cannot be configured");
      ask_logical_units();
    });
  }));
}

void StickLink::configure(Done done) {
  parser_.send(expect(std::move(done)), usb_redir_set_configuration_header{configuration_});
}

void StickLink::ask_logical_units() {
  constexpr std::uint8_t kClassInterfaceIn = 0xa1, kGetMaxLun = 0xfe;
  const auto id = expect([this](const TransferEnd& end) {
    // A stick with one may stall instead (Bulk-Only Transport, 3.2).
    const bool told = end.status == TransferStatus::success && end.moved >= 1;
    last_logical_unit_ = told ? std::to_integer<std::uint8_t>(end.data.bytes()[0]) : std::uint8_t{0};
    state_ = State::ready;
  });
  parser_.send(id,
               usb_redir_control_packet_header{0x80, kGetMaxLun, kClassInterfaceIn, 0, 0, interfaces_.interface[0], 1});
}

void StickLink::on_device_disconnect() { fail("the device is gone"); }

std::uint64_t StickLink::expect(Done done) {
  waiting_.emplace(++last_id_, std::move(done));
  return last_id_;
}

void StickLink::finish(std::uint64_t id, TransferEnd end) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const Done done = std::move(found->second);
  waiting_.erase(found);
  done(std::move(end));
}

void StickLink::on_configuration_status(std::uint64_t id, const usb_redir_configuration_status_header& header) {
  configuration_ = header.configuration;
  finish(id, {status_of(header.status), 0, {}});
}

void StickLink::on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) {
  const std::size_t moved = data.size();
  finish(id, {status_of(header.status), moved, std::move(data)});
}

void StickLink::on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) {
  const bool is_in = (header.endpoint & 0x80) != 0;
  const std::size_t length = header.length | std::size_t{header.length_high} << 16;
  const std::size_t moved = is_in ? data.size() : length;
  finish(id, {status_of(header.status), moved, std::move(data)});
}

std::uint64_t StickLink::bulk_out(std::span<const std::byte> data, Done done) {
  const auto id = expect(std::move(done));
  parser_.send(id,
               usb_redir_bulk_packet_header{endpoint_out_, 0, static_cast<std::uint16_t>(data.size()), 0,
                                            static_cast<std::uint16_t>(data.size() >> 16)},
               data);
  return id;
}

std::uint64_t StickLink::bulk_in(std::size_t size, Done done) {
  const auto id = expect(std::move(done));
  parser_.send(id, usb_redir_bulk_packet_header{endpoint_in_, 0, static_cast<std::uint16_t>(size), 0,
                                                static_cast<std::uint16_t>(size >> 16)});
  return id;
}

void StickLink::control(std::uint8_t type, std::uint8_t request, std::uint16_t index, Done done) {
  parser_.send(expect(std::move(done)), usb_redir_control_packet_header{0, request, type, 0, 0, index, 0});
}

void StickLink::reset_transport(Done done) { control(0x21, 0xff, interfaces_.interface[0], std::move(done)); }

void StickLink::clear_halt(bool in, Done done) {
  constexpr std::uint8_t kEndpointOut = 0x02, kClearFeature = 1;
  control(kEndpointOut, kClearFeature, in ? endpoint_in_ : endpoint_out_, std::move(done));
}

void StickLink::reset_bus(Done done) {
  spdlog::debug("the stick does not recover: its bus is reset");
  const auto given_up = std::exchange(waiting_, {});
  parser_.send_reset();
  configure(std::move(done));
  for (const auto& [id, each] : given_up) each({TransferStatus::cancelled, 0, {}});
}

void StickLink::cancel(std::uint64_t id) {
  if (waiting_.contains(id)) parser_.send_cancel_data_packet(id);
}

}  // namespace usbloop::client
