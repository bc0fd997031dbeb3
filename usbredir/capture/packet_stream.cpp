#include "usbredir/capture/packet_stream.h"

#include <algorithm>
#include <utility>

namespace usbloop::capture {
namespace {

constexpr std::size_t kShortHeader = sizeof(usb_redir_header) - sizeof(std::uint32_t);
constexpr std::size_t kLongestControl = 0xffff;
/// More than the longest data that a guest side may send (packet_gate.h).
constexpr std::size_t kLongestKept = 8 * 1024 * 1024;

/// Bytes of the header of a data packet; 0 for the others, whose whole body is a header of a length that may vary.
std::size_t data_header(std::uint32_t type, const Capabilities& capabilities) {
  switch (type) {
    case usb_redir_control_packet: return sizeof(usb_redir_control_packet_header);
    case usb_redir_bulk_packet:
      return sizeof(usb_redir_bulk_packet_header) - (capabilities.long_bulk() ? 0 : sizeof(std::uint16_t));
    case usb_redir_iso_packet: return sizeof(usb_redir_iso_packet_header);
    case usb_redir_interrupt_packet: return sizeof(usb_redir_interrupt_packet_header);
    case usb_redir_buffered_bulk_packet: return sizeof(usb_redir_buffered_bulk_packet_header);
    default: return 0;
  }
}

}  // namespace

void Capabilities::take_hello(bool from_guest, std::span<const std::byte> body) {
  constexpr std::size_t kAt = sizeof(usb_redir_hello_header);
  const std::size_t side = from_guest ? 1 : 0;
  if (seen_[side]) return;
  seen_[side] = true;
  if (body.size() >= kAt + sizeof(std::uint32_t)) std::memcpy(&sides_[side], body.data() + kAt, sizeof(std::uint32_t));
}

void PacketStream::feed(std::span<const std::byte> bytes, const std::function<void(Packet&&)>& take) {
  while (!broken_ && !bytes.empty()) {
    bytes = bytes.subspan(in_body_ ? take_body(bytes) : take_packet_header(bytes));
    if (broken_ || !is_complete()) continue;
    in_body_ = false;
    take(std::exchange(packet_, {}));
  }
}

std::size_t PacketStream::take_packet_header(std::span<const std::byte> bytes) {
  const std::size_t size = capabilities_.long_ids() ? sizeof(usb_redir_header) : kShortHeader;
  const std::size_t count = std::min(bytes.size(), size - have_);
  std::memcpy(raw_.data() + have_, bytes.data(), count);
  have_ += count;
  if (have_ < size) return count;
  have_ = 0;
  std::fill(raw_.begin() + static_cast<std::ptrdiff_t>(size), raw_.end(), std::byte{0});
  usb_redir_header header{};
  std::memcpy(&header, raw_.data(), sizeof header);
  packet_.type = header.type;
  packet_.id = header.id;
  begin_body(header.length);
  return count;
}

void PacketStream::begin_body(std::size_t length) {
  const std::size_t wanted = data_header(packet_.type, capabilities_);
  broken_ = length < wanted;
  if (broken_) return;
  in_body_ = true;
  left_ = length;
  header_have_ = 0;
  header_size_ = wanted > 0 ? wanted : std::min(length, packet_.header.size());
  packet_.data_size = wanted > 0 ? length - wanted : 0;
  const std::size_t most = packet_.type == usb_redir_control_packet ? kLongestControl : std::min(keep_, kLongestKept);
  keep_left_ = std::min(packet_.data_size, most);
  packet_.data.reserve(keep_left_);
}

std::size_t PacketStream::take_body(std::span<const std::byte> bytes) {
  const std::size_t count = std::min(bytes.size(), left_);
  const std::size_t of_header = std::min(count, header_size_ - header_have_);
  std::memcpy(packet_.header.data() + header_have_, bytes.data(), of_header);
  header_have_ += of_header;
  const auto data = bytes.subspan(of_header, std::min(count - of_header, keep_left_));
  packet_.data.insert(packet_.data.end(), data.begin(), data.end());
  keep_left_ -= data.size();
  left_ -= count;
  return count;
}

}  // namespace usbloop::capture
