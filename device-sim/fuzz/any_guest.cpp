#include "device-sim/fuzz/any_guest.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "device-sim/emulation/fault.h"

namespace usbloop::device_sim::fuzz {
namespace {

thread_local Time any_time;
Time tell_any_time() { return any_time; }

usbredir::ParserOptions guest_options() {
  usbredir::ParserOptions options;
  options.side = usbredir::Side::usb_guest;
  return options;
}

}  // namespace

AnyGuest::AnyGuest(std::unique_ptr<Device> device) : parser_(guest_options(), *this) {
  any_time = Time(std::chrono::seconds(1));
  auto host = EmulatedHost::make(std::move(device), {}, tell_any_time);
  if (!host) return;  // descriptors that are none
  host_ = std::move(*host);
  carry();
  parser_.send(1, usb_redir_set_configuration_header{1});
  carry();
}

void AnyGuest::count() {
  if (++answered_ > asked_) std::abort();
}

void AnyGuest::carry() {
  if (!host_) return;
  while (!parser_.pending().empty() || !host_->pending().empty()) {
    while (!host_->pending().empty()) {
      if (!parser_.feed(host_->pending())) std::abort();
      host_->consume(host_->pending().size());
    }
    if (parser_.pending().empty()) continue;
    const auto taken = host_->receive(parser_.pending());
    if (!taken) std::abort();
    parser_.consume(*taken);
  }
}

void AnyGuest::control(const SetupPacket& setup, std::span<const std::byte> data) {
  const bool is_in = setup.is_in();
  const auto length = is_in ? setup.length : static_cast<std::uint16_t>(data.size());
  const auto endpoint = static_cast<std::uint8_t>(is_in ? 0x80 : 0);
  ++asked_;
  parser_.send(
      ++id_,
      usb_redir_control_packet_header{endpoint, setup.request, setup.request_type, 0, setup.value, setup.index, length},
      is_in ? std::span<const std::byte>{} : data);
  carry();
}

void AnyGuest::read(std::uint8_t endpoint, std::uint16_t size) {
  ++asked_;
  parser_.send(++id_, usb_redir_bulk_packet_header{endpoint, 0, size, 0, 0});
  carry();
}

void AnyGuest::write(std::uint8_t endpoint, std::span<const std::byte> data) {
  ++asked_;
  parser_.send(++id_, usb_redir_bulk_packet_header{endpoint, 0, static_cast<std::uint16_t>(data.size()), 0, 0}, data);
  carry();
}

void AnyGuest::select(std::uint8_t interface, std::uint8_t alternate) {
  parser_.send(++id_, usb_redir_set_alt_setting_header{interface, alternate});
  carry();
}

void AnyGuest::pass(std::chrono::milliseconds time) {
  any_time += time;
  if (host_) host_->look();
  carry();
}

void AnyGuest::end() {
  if (host_) host_->disconnect();
  carry();
}

/// The data begin with the eight bytes of the request.
void AnyGuest::act_control(std::span<const std::byte> data) {
  constexpr std::size_t kSetup = 8;
  if (data.size() < kSetup) return;
  const auto byte = [&](std::size_t at) { return std::to_integer<std::uint8_t>(data[at]); };
  const auto word = [&](std::size_t at) { return static_cast<std::uint16_t>(byte(at) | byte(at + 1) << 8); };
  control({byte(0), byte(1), word(2), word(4), word(6)}, data.subspan(kSetup));
}

/// Settings and isochronous streams, where `what` is one of the last four bytes there are.
bool AnyGuest::act_isochronous(std::uint8_t what, std::uint8_t value, std::span<const std::byte> data) {
  switch (what) {
    case 252: parser_.send(++id_, usb_redir_set_alt_setting_header{1, static_cast<std::uint8_t>(value % 3)}); break;
    case 253: parser_.send(++id_, usb_redir_start_iso_stream_header{value, 8, 4}); break;
    case 254: parser_.send(++id_, usb_redir_stop_iso_stream_header{value}); break;
    case 255: {
      // Longer than what is given, so that a packet may be too long.
      std::vector<std::byte> packet(data.size() * 5);
      for (std::size_t i = 0; i < packet.size(); ++i) packet[i] = data[i % data.size()];
      parser_.send(++id_, usb_redir_iso_packet_header{value, 0, static_cast<std::uint16_t>(packet.size())}, packet);
      break;
    }
    default: return false;
  }
  return true;
}

void AnyGuest::act(std::uint8_t what, std::uint8_t value, std::span<const std::byte> data) {
  const auto in = static_cast<std::uint8_t>(0x81 + value % 15);
  if (act_isochronous(what, value, data)) return carry();
  switch (what % 11) {
    case 0:
      parser_.send_reset();
      parser_.send(++id_, usb_redir_set_configuration_header{static_cast<std::uint8_t>(value % 2)});
      break;
    case 1: act_control(data); break;
    case 2: parser_.send(++id_, usb_redir_start_interrupt_receiving_header{in}); break;
    case 3: parser_.send(++id_, usb_redir_stop_interrupt_receiving_header{in}); break;
    case 4: read(in, static_cast<std::uint16_t>(data.size() * 16)); break;
    case 5: write(static_cast<std::uint8_t>(1 + value % 15), data); break;
    case 6: parser_.send_cancel_data_packet(id_ - value % 8); break;
    case 7: pass(std::chrono::milliseconds(value)); break;
    case 8: control({0x02, 1, 0, value, 0}, {}); break;  // clears a halt
    case 10: select(value >> 4, value & 0xf); break;
    default:
      if (const auto fault = parse_fault({reinterpret_cast<const char*>(data.data()), data.size()}); fault && host_) {
        (void)host_->set_fault(*fault);
      }
  }
  carry();
}

void AnyGuest::play(std::span<const std::byte> input) {
  constexpr std::size_t kMostActs = 500;
  for (std::size_t acts = 0; input.size() >= 3 && acts < kMostActs; ++acts) {
    const auto what = std::to_integer<std::uint8_t>(input[0]);
    const auto value = std::to_integer<std::uint8_t>(input[1]);
    const std::size_t size = std::to_integer<std::size_t>(input[2]) % 65;
    const auto data = input.subspan(3, std::min(size, input.size() - 3));
    input = input.subspan(3 + data.size());
    act(what, value, data);
  }
}

}  // namespace usbloop::device_sim::fuzz
