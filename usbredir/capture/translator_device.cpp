#include <cstring>
#include <utility>

#include "usbredir/capture/translator.h"
#include "usbredir/endpoint_table.h"

// What the device's side says: how transfers end, and what comes by itself.
namespace usbloop::capture {
namespace {

using usbredir::EndpointTable;
using usbredir::TransferType;

constexpr std::uint8_t kDeviceIn = 0x80;

std::int32_t status_of(std::uint8_t status) {
  switch (status) {
    case usb_redir_success: return urb_status::kSuccess;
    case usb_redir_cancelled: return urb_status::kCancelled;
    case usb_redir_inval: return urb_status::kInvalid;
    case usb_redir_stall: return urb_status::kStall;
    case usb_redir_timeout: return urb_status::kTimeout;
    case usb_redir_babble: return urb_status::kOverflow;
    default: return urb_status::kProtocol;
  }
}

std::string speed_name(std::uint8_t speed) {
  constexpr std::array<const char*, 4> kNames = {"low", "full", "high", "super"};
  return speed < kNames.size() ? kNames[speed] : "unknown";
}

}  // namespace

void Translator::take_device_packet(Packet&& packet) {
  switch (packet.type) {
    case usb_redir_hello: capabilities_.take_hello(false, packet.header); break;
    case usb_redir_device_connect:
      note("The device is plugged in at " + speed_name(packet.as<usb_redir_device_connect_header>().speed) + " speed.");
      break;
    case usb_redir_device_disconnect:
      note("The device is unplugged.");
      stop_all(urb_status::kShutdown);
      break;
    case usb_redir_ep_info: {
      const auto header = packet.as<usb_redir_ep_info_header>();
      std::memcpy(packet_sizes_.data(), &header.max_packet_size, sizeof header.max_packet_size);
      break;
    }
    case usb_redir_control_packet:
    case usb_redir_bulk_packet:
    case usb_redir_iso_packet:
    case usb_redir_interrupt_packet:
    case usb_redir_buffered_bulk_packet: take_device_data(std::move(packet)); break;
    default: take_device_status(packet); break;
  }
}

void Translator::take_device_status(const Packet& packet) {
  switch (packet.type) {
    case usb_redir_configuration_status: {
      const auto header = packet.as<usb_redir_configuration_status_header>();
      answer_byte(packet.id, header.status, header.configuration);
      break;
    }
    case usb_redir_alt_setting_status: {
      const auto header = packet.as<usb_redir_alt_setting_status_header>();
      answer_byte(packet.id, header.status, header.alt);
      break;
    }
    case usb_redir_iso_stream_status: {
      const auto header = packet.as<usb_redir_iso_stream_status_header>();
      stream_status(header.endpoint, header.status);
      break;
    }
    case usb_redir_interrupt_receiving_status: {
      const auto header = packet.as<usb_redir_interrupt_receiving_status_header>();
      stream_status(header.endpoint, header.status);
      break;
    }
    case usb_redir_bulk_receiving_status: {
      const auto header = packet.as<usb_redir_bulk_receiving_status_header>();
      stream_status(header.endpoint, header.status);
      break;
    }
    case usb_redir_bulk_streams_status:
      note(packet.as<usb_redir_bulk_streams_status_header>().status == usb_redir_success
               ? "The device has the bulk streams."
               : "The device refuses the bulk streams.");
      break;
    default: break;
  }
}

/// The answer to a question about a setting, or to an order, which has no data.
void Translator::answer_byte(std::uint64_t id, std::uint8_t status, std::uint8_t value) {
  Urb urb;
  urb.id = id;
  urb.status = status_of(status);
  const auto asked = pending_.find(id);
  if (asked != pending_.end() && asked->second.gives_byte && status == usb_redir_success) {
    urb.data = {std::byte{value}};
    urb.whole = urb.length = 1;
  }
  if (asked != pending_.end()) urb.endpoint = asked->second.endpoint;
  finish(std::move(urb));
}

/// A stream that was asked for has begun, or has failed.
void Translator::stream_status(std::uint8_t endpoint, std::uint8_t status) {
  const std::size_t index = EndpointTable::index(endpoint);
  if (status != usb_redir_success) {
    if (streams_[index]) streams_[index]->stop(status_of(status));
    streams_[index].reset();
    wanted_[index].reset();
    note("The stream of endpoint " + std::to_string(endpoint & 0x0f) + " has failed.");
  } else if (wanted_[index] && !streams_[index]) {
    streams_[index].emplace(*wanted_[index], own_ids_, [this](Urb&& urb) { emit(std::move(urb)); });
    wanted_[index].reset();
  }
}

void Translator::take_device_data(Packet&& packet) {
  Urb urb;
  urb.id = packet.id;
  std::uint8_t status = 0;
  if (packet.type == usb_redir_control_packet) {
    const auto header = packet.as<usb_redir_control_packet_header>();
    urb.endpoint = header.requesttype & kDeviceIn;
    urb.length = header.length;
    status = header.status;
  } else if (packet.type == usb_redir_bulk_packet) {
    const auto header = packet.as<usb_redir_bulk_packet_header>();
    urb.type = TransferType::bulk;
    urb.endpoint = header.endpoint;
    urb.length = std::uint32_t{header.length} | std::uint32_t{header.length_high} << 16;
    status = header.status;
    if (header.stream_id != 0) note("stream " + std::to_string(header.stream_id));
  } else if (packet.type == usb_redir_buffered_bulk_packet) {
    const auto header = packet.as<usb_redir_buffered_bulk_packet_header>();
    return arrive(TransferType::bulk, header.endpoint, header.status, std::move(packet));
  } else {
    const auto header = packet.as<usb_redir_interrupt_packet_header>();  // an isochronous one has the same header
    const bool is_iso = packet.type == usb_redir_iso_packet;
    urb.type = is_iso ? TransferType::iso : TransferType::interrupt;
    urb.endpoint = header.endpoint;
    urb.length = header.length;
    status = header.status;
    if (is_iso || urb.is_in()) return arrive(urb.type, urb.endpoint, status, std::move(packet));
  }
  urb.status = status_of(status);
  urb.whole = packet.data_size;
  urb.data = std::move(packet.data);
  finish(std::move(urb));
}

void Translator::arrive(TransferType type, std::uint8_t endpoint, std::uint8_t status, Packet&& packet) {
  auto& stream = streams_[EndpointTable::index(endpoint)];
  if (stream) {
    stream->arrive(status_of(status), std::move(packet.data), packet.data_size);
    return;
  }
  // It comes late, or unasked: a transfer of its own.
  Urb urb;
  urb.type = type;
  urb.endpoint = endpoint;
  urb.id = ++own_ids_;
  urb.length = static_cast<std::uint32_t>(packet.data_size);
  if (type == TransferType::iso) urb.packets.push_back({urb_status::kNotYet, 0, urb.length});
  Urb over = urb;
  begin(std::move(urb));
  over.status = status_of(status);
  over.whole = packet.data_size;
  over.data = std::move(packet.data);
  if (type == TransferType::iso) over.packets.front().status = std::exchange(over.status, urb_status::kSuccess);
  finish(std::move(over));
}

}  // namespace usbloop::capture
