#include <algorithm>
#include <set>
#include <utility>

#include "common/log.h"
#include "device-sim/emulation/emulated_host.h"

// The bulk transfers of EmulatedHost.
namespace usbloop::device_sim {
namespace {

using usbredir::EndpointTable;
using usbredir::TransferType;

// Guests queue a handful (CDC-ACM 16, UAS some tens); more is an attempt on our memory.
constexpr std::size_t kMaxWaitingPerEndpoint = 256;
// Data that waits for its command: UAS guests send 16 commands with up to 1 MiB each.
constexpr std::size_t kMaxHeld = std::size_t{32} << 20;

std::size_t length_of(const usb_redir_bulk_packet_header& header) {
  return header.length | std::size_t{header.length_high} << 16;
}

bool is_in(const usb_redir_bulk_packet_header& header) { return (header.endpoint & 0x80) != 0; }

}  // namespace

/// Why a transfer is refused at once; success: it is not.
TransferStatus EmulatedHost::objection(const usb_redir_bulk_packet_header& header, std::size_t data) const {
  const auto* endpoint = endpoints_.endpoint(header.endpoint);
  if (configured_ == 0 || endpoint == nullptr || endpoint->type != TransferType::bulk) return TransferStatus::invalid;
  const auto index = EndpointTable::index(header.endpoint);
  const std::uint32_t streams = streams_[index];
  const bool right_stream = streams == 0 ? header.stream_id == 0 : header.stream_id - 1 < streams;
  if (!right_stream || (is_in(header) && length_of(header) > longest_in_)) return TransferStatus::invalid;
  if (waiting_[index].size() >= kMaxWaitingPerEndpoint || data > kMaxHeld - held_) return TransferStatus::io_error;
  return TransferStatus::success;
}

void EmulatedHost::on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) {
  if (!in_use()) return;
  spdlog::trace("usbredir: bulk endpoint {:02x} stream {} length {}", header.endpoint, header.stream_id,
                length_of(header));
  if (const auto status = objection(header, data.size()); status != TransferStatus::success) {
    answer(id, header, status);
    return;
  }
  held_ += data.size();
  waiting_[EndpointTable::index(header.endpoint)].push_back({id, header, std::move(data)});
  serve_waiting();
}

void EmulatedHost::serve_waiting() {
  // What one queue has been given may be what another one waits for.
  for (bool served = true; served && parser_.wants_input();) {
    served = serve_controls();
    for (WaitingQueue& queue : waiting_) served = serve_queue(queue) || served;
    for (std::size_t index = 0; index < waiting_.size(); ++index) {
      served = serve_receiving(index) || served;
      served = serve_buffered(index) || served;
    }
  }
}

/// Offers the device what waits at an endpoint: in order, and on each stream on its own.
bool EmulatedHost::serve_queue(WaitingQueue& queue) {
  bool served = false;
  std::set<std::uint32_t> blocked;
  for (std::size_t at = 0; at < queue.size() && parser_.wants_input();) {
    const std::uint32_t stream = queue[at].header.stream_id;
    if (blocked.contains(stream) || !serve(queue[at])) {
      if (stream == 0) break;
      blocked.insert(stream);
      ++at;
      continue;
    }
    held_ -= queue[at].data.size();
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
    served = true;
  }
  return served;
}

bool EmulatedHost::serve(const Waiting& transfer) {
  if (halted_[EndpointTable::index(transfer.header.endpoint)]) {
    answer(transfer.id, transfer.header, TransferStatus::stall);
    return true;
  }
  return is_in(transfer.header) ? serve_in(transfer) : serve_out(transfer);
}

bool EmulatedHost::serve_out(const Waiting& transfer) {
  const auto& header = transfer.header;
  const OutReply reply = device_->out({header.endpoint, header.stream_id}, transfer.data.bytes());
  if (!reply.done) return false;
  if (reply.status == TransferStatus::stall) halted_.set(EndpointTable::index(header.endpoint));
  answer(transfer.id, header, reply.status, reply.size);
  return true;
}

bool EmulatedHost::serve_in(const Waiting& transfer) {
  const auto& header = transfer.header;
  auto buffer = parser_.make_bulk(length_of(header));
  if (!buffer) {
    answer(transfer.id, header, TransferStatus::io_error);
    return true;
  }
  const InReply reply = device_->in({header.endpoint, header.stream_id}, buffer->room());
  switch (reply.kind) {
    case InReply::Kind::not_yet: return false;
    case InReply::Kind::stall:
      halted_.set(EndpointTable::index(header.endpoint));
      answer(transfer.id, header, TransferStatus::stall);
      return true;
    case InReply::Kind::failed: answer(transfer.id, header, reply.status); return true;
    case InReply::Kind::data: break;
  }
  auto sent = header;
  sent.status = usb_redir_success;
  parser_.send_bulk(transfer.id, sent, std::move(*buffer), reply.size);
  return true;
}

void EmulatedHost::consume(std::size_t count) {
  const bool was_full = !parser_.wants_input();
  parser_.consume(count);
  if (!was_full || is_final(state_)) return;
  device_->advance(clock_());
  serve_waiting();
  look_after();
}

std::uint64_t EmulatedHost::waiting(Pipe pipe) const {
  std::uint64_t bytes = 0;
  for (const Waiting& transfer : waiting_[EndpointTable::index(pipe.endpoint)]) {
    if (transfer.header.stream_id == pipe.stream) bytes += length_of(transfer.header);
  }
  return bytes;
}

void EmulatedHost::on_cancel_data_packet(std::uint64_t id) {
  if (cancel_control(id)) return;
  for (WaitingQueue& queue : waiting_) {
    const auto found = std::find_if(queue.begin(), queue.end(), [id](const Waiting& each) { return each.id == id; });
    if (found == queue.end()) continue;
    const bool was_first = found == queue.begin();
    const Pipe pipe{found->header.endpoint, found->header.stream_id};
    answer(found->id, found->header, TransferStatus::cancelled);
    held_ -= found->data.size();
    queue.erase(found);
    if (was_first) device_->cancelled(pipe);
    return;
  }
  // Already answered: the answer and the cancellation have crossed, and the peer drops the answer.
}

void EmulatedHost::cancel_waiting(std::size_t index) {
  for (const Waiting& transfer : std::exchange(waiting_[index], {})) {
    answer(transfer.id, transfer.header, TransferStatus::cancelled);
    held_ -= transfer.data.size();
  }
}

/// The endpoint is as after the choice of an alternate setting.
void EmulatedHost::start_endpoint(std::size_t index) {
  cancel_waiting(index);
  streams_[index] = 0;
  receiving_.reset(index);
  buffered_[index] = 0;
  halted_.reset(index);
}

/// Ends a transfer without data from us: an OUT one, of which `taken` bytes were taken, or an IN one that failed.
void EmulatedHost::answer(std::uint64_t id, usb_redir_bulk_packet_header header, TransferStatus status,
                          std::size_t taken) {
  header.status = static_cast<std::uint8_t>(status);
  header.length = static_cast<std::uint16_t>(taken);
  header.length_high = static_cast<std::uint16_t>(taken >> 16);
  parser_.send(id, header);
}

}  // namespace usbloop::device_sim
