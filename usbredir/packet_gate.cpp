#include "usbredir/packet_gate.h"

#include <usbredirproto.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace usbloop::usbredir {
namespace {

// The hello itself always has the short header: the peer's capabilities are not known yet.
constexpr std::size_t kShortHeaderSize = 12;
constexpr std::size_t kLongHeaderSize = 16;
constexpr std::uint32_t kLongestTypeHeader = 288;  // ep_info with streams
constexpr std::uint32_t kLongestHello = 64 + 64;   // version text, and room for 512 capabilities

std::uint32_t longest(std::uint32_t type, const PacketLimits& limits) {
  switch (type) {
    case usb_redir_hello: return kLongestHello;
    case usb_redir_filter_filter: return limits.filter;
    case usb_redir_control_packet:
    case usb_redir_bulk_packet:
    case usb_redir_iso_packet:
    case usb_redir_interrupt_packet:
    case usb_redir_buffered_bulk_packet: return limits.data + kLongestTypeHeader;
    default: return kLongestTypeHeader;
  }
}

auto refuse_packet(std::string cause) {
  return make_error(ErrorKind::protocol, "read the usbredir stream", "", std::move(cause));
}

}  // namespace

PacketGate::PacketGate(PacketLimits limits, bool long_ids)
    : limits_(limits), long_ids_(long_ids), header_size_(kShortHeaderSize) {}

bool PacketGate::in_data() const {
  constexpr std::uint32_t kTypeHeader = 10;  // of control and bulk packets; 8 without the 32-bit length of bulk
  if (body_left_ == 0 || body_size_ - body_left_ < kTypeHeader) return false;
  return type_ == usb_redir_control_packet || type_ == usb_redir_bulk_packet;
}

Result<std::span<const std::byte>> PacketGate::pass(std::span<const std::byte> stream, std::size_t most) {
  const std::size_t left = body_left_ > 0 ? body_left_ : header_size_ - header_have_;
  const auto piece = stream.first(std::min({stream.size(), most, left}));
  if (body_left_ > 0) {
    if (type_ == usb_redir_hello) read_hello(piece);
    body_left_ -= static_cast<std::uint32_t>(piece.size());
    return piece;
  }
  std::copy(piece.begin(), piece.end(), header_.begin() + static_cast<std::ptrdiff_t>(header_have_));
  header_have_ += piece.size();
  if (header_have_ < header_size_) return piece;
  header_have_ = 0;
  if (auto fine = check_header(); !fine) return tl::unexpected(fine.error());
  return piece;
}

/// A piece of the hello's body: a version text, then the capabilities.
void PacketGate::read_hello(std::span<const std::byte> piece) {
  constexpr std::size_t kAt = sizeof(usb_redir_hello_header::version) + usb_redir_cap_64bits_ids / 8;
  constexpr std::byte kBit{1U << (usb_redir_cap_64bits_ids % 8)};
  const std::size_t begin = body_size_ - body_left_;
  if (kAt < begin || kAt >= begin + piece.size()) return;
  if (long_ids_ && (piece[kAt - begin] & kBit) != std::byte{0}) header_size_ = kLongHeaderSize;
}

Result<> PacketGate::check_header() {
  std::uint32_t type = 0;
  std::uint32_t length = 0;
  std::memcpy(&type, header_.data(), sizeof type);
  std::memcpy(&length, header_.data() + sizeof type, sizeof length);
  if (type == usb_redir_hello && hello_seen_) return refuse_packet("a second hello");
  if (type != usb_redir_hello && !hello_seen_)
    return refuse_packet("packet type " + std::to_string(type) + " before the hello");
  if (const auto limit = longest(type, limits_); length > limit) {
    return refuse_packet("packet type " + std::to_string(type) + " of " + std::to_string(length) +
                         " bytes is longer than the limit of " + std::to_string(limit));
  }
  hello_seen_ = true;
  type_ = type;
  body_size_ = body_left_ = length;
  return {};
}

}  // namespace usbloop::usbredir
