#include <algorithm>
#include <utility>

#include "common/log.h"
#include "device-sim/emulated_host.h"

// The bulk transfers of EmulatedHost.
namespace usbloop::device_sim {
namespace {

using usbredir::EndpointTable;
using usbredir::TransferType;

// Guests queue a handful (CDC-ACM 16, UAS some tens); more is an attempt on our memory.
constexpr std::size_t kMaxWaitingPerEndpoint = 256;

std::size_t length_of(const usb_redir_bulk_packet_header& header) {
  return header.length | std::size_t{header.length_high} << 16;
}

}  // namespace

void EmulatedHost::on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) {
  if (!in_use()) return;
  spdlog::trace("usbredir: bulk endpoint {:02x} length {}", header.endpoint, length_of(header));
  const auto* endpoint = endpoints_.endpoint(header.endpoint);
  if (configured_ == 0 || endpoint == nullptr || endpoint->type != TransferType::bulk) {
    answer(id, header, TransferStatus::invalid);
  } else if ((header.endpoint & 0x80) != 0) {
    bulk_in(id, header);
  } else {
    bulk_out(id, header, data.bytes());
  }
}

void EmulatedHost::bulk_out(std::uint64_t id, usb_redir_bulk_packet_header header, std::span<const std::byte> data) {
  auto halted = halted_[EndpointTable::index(header.endpoint)];
  const TransferStatus status = halted ? TransferStatus::stall : device_->out(header.endpoint, data);
  if (status == TransferStatus::stall) halted = true;
  answer(id, header, status);
  serve_waiting();
}

void EmulatedHost::bulk_in(std::uint64_t id, usb_redir_bulk_packet_header header) {
  WaitingQueue& queue = waiting_[EndpointTable::index(header.endpoint)];
  if (length_of(header) > longest_in_) {
    answer(id, header, TransferStatus::invalid);
  } else if (queue.size() >= kMaxWaitingPerEndpoint) {
    answer(id, header, TransferStatus::io_error);
  } else if (const WaitingIn request{id, header}; !queue.empty() || !serve(request)) {
    queue.push_back(request);
  }
}

bool EmulatedHost::serve(const WaitingIn& request) {
  auto halted = halted_[EndpointTable::index(request.header.endpoint)];
  if (halted) {
    answer(request.id, request.header, TransferStatus::stall);
    return true;
  }
  auto buffer = parser_.make_bulk(length_of(request.header));
  if (!buffer) {
    answer(request.id, request.header, TransferStatus::io_error);
    return true;
  }
  const InReply reply = device_->in(request.header.endpoint, buffer->room());
  switch (reply.kind) {
    case InReply::Kind::not_yet: return false;
    case InReply::Kind::stall:
      halted = true;
      answer(request.id, request.header, TransferStatus::stall);
      return true;
    case InReply::Kind::data: break;
  }
  auto header = request.header;
  header.status = usb_redir_success;
  parser_.send_bulk(request.id, header, std::move(*buffer), reply.size);
  return true;
}

void EmulatedHost::serve_waiting() {
  for (WaitingQueue& queue : waiting_) {
    while (!queue.empty() && serve(queue.front())) queue.pop_front();
  }
}

void EmulatedHost::on_cancel_data_packet(std::uint64_t id) {
  for (WaitingQueue& queue : waiting_) {
    const auto found = std::find_if(queue.begin(), queue.end(), [id](const WaitingIn& in) { return in.id == id; });
    if (found == queue.end()) continue;
    const WaitingIn request = *found;
    queue.erase(found);
    answer(request.id, request.header, TransferStatus::cancelled);
    return;
  }
  // Already answered: the answer and the cancellation have crossed, and the peer drops the answer.
}

/// Ends a transfer without data from us: an OUT one, or an IN one that failed.
void EmulatedHost::answer(std::uint64_t id, usb_redir_bulk_packet_header header, TransferStatus status) {
  header.status = static_cast<std::uint8_t>(status);
  if ((header.endpoint & 0x80) != 0 || status != TransferStatus::success) header.length = header.length_high = 0;
  parser_.send(id, header);
}

}  // namespace usbloop::device_sim
