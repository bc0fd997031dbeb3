#include <algorithm>
#include <array>

#include "common/log.h"
#include "device-sim/emulation/emulated_host.h"

// The isochronous streams of EmulatedHost. usb.md section 3.
namespace usbloop::device_sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using usbredir::EndpointTable;
using usbredir::TransferType;

// One wake for this much time's packets, not one for each.
constexpr milliseconds kBetweenBundles{4};
// Packets that are later than this are left out: QEMU holds 60 ms of them ahead and drops what is more than twice that.
constexpr milliseconds kLatest{40};

/// Between our packets. A service interval (USB 2.0, 9.6.6) is 2^(bInterval-1) frames of 1 ms, from high speed on
/// microframes of 125 us. We leave one of eight out: a guest that is late, as emulated ones are, catches up then. What
/// it is behind would be lost in the end otherwise, and an interval without a packet is harmless.
nanoseconds pace_of(std::uint8_t exponent, usbredir::Speed speed) {
  const unsigned shift = std::clamp<unsigned>(exponent, 1, 16) - 1;
  const nanoseconds frame = speed >= usbredir::Speed::high ? microseconds(125) : milliseconds(1);
  return frame * (1 << shift) * 8 / 7;
}

}  // namespace

void EmulatedHost::on_start_iso_stream(std::uint64_t id, const usb_redir_start_iso_stream_header& header) {
  if (!in_use()) return;
  const bool started = start_iso(header.endpoint);
  spdlog::debug("usbredir: the guest starts the isochronous stream of endpoint {:02x}{}", header.endpoint,
                started ? "" : ", which there is not");
  const auto status = started ? TransferStatus::success : TransferStatus::invalid;
  parser_.send(id, usb_redir_iso_stream_status_header{static_cast<std::uint8_t>(status), header.endpoint});
}

void EmulatedHost::on_stop_iso_stream(std::uint64_t id, const usb_redir_stop_iso_stream_header& header) {
  if (!in_use()) return;
  stop_iso(header.endpoint);
  parser_.send(id, usb_redir_iso_stream_status_header{usb_redir_success, header.endpoint});
}

/// False when there is no such endpoint now.
bool EmulatedHost::start_iso(std::uint8_t address) {
  const auto* endpoint = endpoints_.endpoint(address);
  const bool fits =
      configured_ != 0 && endpoint != nullptr && endpoint->type == TransferType::iso && endpoint->max_packet_size > 0;
  if (!fits) return false;
  stop_iso(address);
  if ((address & 0x80) == 0) {
    iso_out_.set(EndpointTable::index(address));
    return true;
  }
  const nanoseconds interval = pace_of(endpoint->interval, device_->description().speed);
  iso_streams_.push_back({address, endpoint->max_packet_size, interval, clock_(), 0});
  return true;
}

void EmulatedHost::stop_iso(std::uint8_t address) {
  std::erase_if(iso_streams_, [&](const IsoStream& stream) { return stream.endpoint == address; });
  if ((address & 0x80) == 0) iso_out_.reset(EndpointTable::index(address));
}

// usbredir has no answer to it.
void EmulatedHost::on_iso(std::uint64_t, const usb_redir_iso_packet_header& header, usbredir::Payload data) {
  if (!in_use()) return;
  const auto* endpoint = endpoints_.endpoint(header.endpoint);
  const bool is_wanted = (header.endpoint & 0x80) == 0 && iso_out_[EndpointTable::index(header.endpoint)];
  if (!is_wanted || endpoint == nullptr || data.bytes().size() > endpoint->max_packet_size) {
    spdlog::debug("usbredir: {} isochronous bytes for endpoint {:02x} have no place", data.bytes().size(),
                  header.endpoint);
    return;
  }
  device_->isochronous_out(header.endpoint, data.bytes());
}

void EmulatedHost::send_due_packets() {
  const Time now = clock_();
  for (IsoStream& stream : iso_streams_) {
    stream.next = std::max(stream.next, now - kLatest);
    // A full output means that the way is slow. The packets are not made then, and so no part of a picture gets lost.
    for (; stream.next <= now && parser_.wants_input(); stream.next += stream.interval) send_packet(stream);
  }
}

void EmulatedHost::send_packet(IsoStream& stream) {
  constexpr std::size_t kLongestPacket = 0x7ff * 4;  // what a descriptor can say
  std::array<std::byte, kLongestPacket> room;
  const std::size_t size = device_->isochronous(stream.endpoint, std::span(room).first(stream.packet));
  const usb_redir_iso_packet_header header{stream.endpoint, usb_redir_success, static_cast<std::uint16_t>(size)};
  parser_.send(stream.id++, header, std::span(room).first(size));
}

std::optional<Time> EmulatedHost::packets_due() const {
  if (iso_streams_.empty()) return std::nullopt;
  return iso_streams_.front().next + kBetweenBundles;
}

}  // namespace usbloop::device_sim
