#include <vector>

#include "common/log.h"
#include "device-sim/emulation/emulated_host.h"

// The interrupt transfers of EmulatedHost. usb.md section 3.
namespace usbloop::device_sim {
namespace {

using usbredir::EndpointTable;
using usbredir::TransferType;

std::uint8_t interrupt_address(std::size_t index) {
  return static_cast<std::uint8_t>((index & 0x10) << 3 | (index & 0x0f));
}

}  // namespace

void EmulatedHost::on_start_interrupt_receiving(std::uint64_t id,
                                                const usb_redir_start_interrupt_receiving_header& header) {
  if (!in_use()) return;
  const auto* endpoint = endpoints_.endpoint(header.endpoint);
  const std::size_t index = EndpointTable::index(header.endpoint);
  auto status = TransferStatus::success;
  // The parser lets no OUT endpoint through.
  if (configured_ == 0 || endpoint == nullptr || endpoint->type != TransferType::interrupt) {
    status = TransferStatus::invalid;
  } else if (halted_[index]) {
    status = TransferStatus::stall;
  }
  spdlog::debug("usbredir: the guest wants to receive from endpoint {:02x}", header.endpoint);
  parser_.send(id, usb_redir_interrupt_receiving_status_header{static_cast<std::uint8_t>(status), header.endpoint});
  if (status != TransferStatus::success || receiving_[index]) return;
  receiving_.set(index);
  sent_[index] = 0;
  serve_waiting();
}

void EmulatedHost::on_stop_interrupt_receiving(std::uint64_t id,
                                               const usb_redir_stop_interrupt_receiving_header& header) {
  if (!in_use()) return;
  receiving_.reset(EndpointTable::index(header.endpoint));
  parser_.send(id, usb_redir_interrupt_receiving_status_header{usb_redir_success, header.endpoint});
}

/// Sends what an interrupt endpoint has to say, if anything and if the guest receives from it.
bool EmulatedHost::serve_receiving(std::size_t index) {
  if (!receiving_[index] || !parser_.wants_input()) return false;
  const std::uint8_t address = interrupt_address(index);
  const auto* endpoint = endpoints_.endpoint(address);
  if (endpoint == nullptr) return false;
  std::vector<std::byte> room(endpoint->max_packet_size);
  const InReply reply = device_->in({address, 0}, room);
  switch (reply.kind) {
    case InReply::Kind::not_yet: return false;
    case InReply::Kind::stall:
      halted_.set(index);
      receiving_.reset(index);  // until the guest has cleared the halt and asks anew
      parser_.send(0, usb_redir_interrupt_receiving_status_header{usb_redir_stall, address});
      return true;
    default: break;
  }
  room.resize(reply.kind == InReply::Kind::data ? reply.size : 0);
  const auto status = reply.kind == InReply::Kind::data ? TransferStatus::success : reply.status;
  parser_.send(sent_[index]++,
               usb_redir_interrupt_packet_header{address, static_cast<std::uint8_t>(status),
                                                 static_cast<std::uint16_t>(room.size())},
               room);
  return true;
}

// No device here has an interrupt OUT endpoint.
void EmulatedHost::on_interrupt(std::uint64_t id, const usb_redir_interrupt_packet_header& header, usbredir::Payload) {
  if (!in_use()) return;
  usb_redir_interrupt_packet_header reply = header;
  reply.status = static_cast<std::uint8_t>(TransferStatus::invalid);
  reply.length = 0;
  parser_.send(id, reply);
}

}  // namespace usbloop::device_sim
