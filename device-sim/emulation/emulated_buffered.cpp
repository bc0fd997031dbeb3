#include <vector>

#include "common/log.h"
#include "device-sim/emulation/emulated_host.h"

// The buffered bulk input of EmulatedHost: what a bulk IN endpoint has to say goes out by itself. usb.md section 3.
namespace usbloop::device_sim {
namespace {

using usbredir::EndpointTable;
using usbredir::TransferType;

}  // namespace

void EmulatedHost::on_start_bulk_receiving(std::uint64_t id, const usb_redir_start_bulk_receiving_header& header) {
  if (!in_use()) return;
  const auto* endpoint = endpoints_.endpoint(header.endpoint);
  const std::size_t index = EndpointTable::index(header.endpoint);
  const bool fits = configured_ != 0 && endpoint != nullptr && endpoint->type == TransferType::bulk &&
                    (header.endpoint & 0x80) != 0 && device_->buffers_bulk_in() && header.stream_id == 0 &&
                    header.bytes_per_transfer > 0 && header.bytes_per_transfer <= longest_in_;
  auto status = fits ? TransferStatus::success : TransferStatus::invalid;
  if (fits && halted_[index]) status = TransferStatus::stall;
  spdlog::debug("usbredir: the guest wants to receive from bulk endpoint {:02x}, {} bytes at once", header.endpoint,
                header.bytes_per_transfer);
  parser_.send(
      id, usb_redir_bulk_receiving_status_header{header.stream_id, header.endpoint, static_cast<std::uint8_t>(status)});
  if (status != TransferStatus::success) return;
  buffered_[index] = header.bytes_per_transfer;
  sent_[index] = 0;
  serve_waiting();
}

void EmulatedHost::on_stop_bulk_receiving(std::uint64_t id, const usb_redir_stop_bulk_receiving_header& header) {
  if (!in_use()) return;
  buffered_[EndpointTable::index(header.endpoint)] = 0;
  parser_.send(id, usb_redir_bulk_receiving_status_header{header.stream_id, header.endpoint, usb_redir_success});
}

/// Sends what a bulk IN endpoint has to say, if anything and if the guest receives from it.
bool EmulatedHost::serve_buffered(std::size_t index) {
  if (buffered_[index] == 0 || !parser_.wants_input()) return false;
  const auto address = static_cast<std::uint8_t>((index & 0x10) << 3 | (index & 0x0f));
  std::vector<std::byte> room(buffered_[index]);
  const InReply reply = device_->in({address, 0}, room);
  if (reply.kind == InReply::Kind::not_yet) return false;
  if (reply.kind == InReply::Kind::stall) {
    halted_.set(index);
    buffered_[index] = 0;  // until the guest has cleared the halt and asks anew
    parser_.send(0, usb_redir_bulk_receiving_status_header{0, address, usb_redir_stall});
    return true;
  }
  room.resize(reply.kind == InReply::Kind::data ? reply.size : 0);
  const auto status = reply.kind == InReply::Kind::data ? TransferStatus::success : reply.status;
  const auto length = static_cast<std::uint32_t>(room.size());
  parser_.send(sent_[index]++,
               usb_redir_buffered_bulk_packet_header{0, length, address, static_cast<std::uint8_t>(status)}, room);
  return true;
}

}  // namespace usbloop::device_sim
