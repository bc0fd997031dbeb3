#include "usbredir/packet_gate.h"

#include <usbredirproto.h>

#include <cstring>
#include <string>

namespace usbloop::usbredir {
namespace {

constexpr std::uint32_t longest_type_header = 288;  // ep_info with streams
constexpr std::uint32_t longest_hello = 64 + 64;    // version text, and room for 512 capabilities

std::uint32_t longest(std::uint32_t type, const PacketLimits& limits) {
  switch (type) {
    case usb_redir_hello: return longest_hello;
    case usb_redir_filter_filter: return limits.filter;
    case usb_redir_control_packet:
    case usb_redir_bulk_packet:
    case usb_redir_iso_packet:
    case usb_redir_interrupt_packet:
    case usb_redir_buffered_bulk_packet: return limits.data + longest_type_header;
    default: return longest_type_header;
  }
}

auto refuse_packet(std::string cause) {
  return make_error(ErrorKind::protocol, "read the usbredir stream", "", std::move(cause));
}

}  // namespace

bool PacketGate::in_data() const {
  constexpr std::uint32_t kTypeHeader = 10;  // of control and bulk packets; 8 without the 32-bit length of bulk
  if (body_left_ == 0 || body_size_ - body_left_ < kTypeHeader) return false;
  return type_ == usb_redir_control_packet || type_ == usb_redir_bulk_packet;
}

std::size_t PacketGate::next_piece(std::size_t header_size) {
  if (at_boundary()) header_size_ = header_size;
  return body_left_ > 0 ? body_left_ : header_size_ - header_have_;
}

Result<> PacketGate::pass(std::span<const std::byte> bytes) {
  if (body_left_ > 0) {
    body_left_ -= static_cast<std::uint32_t>(bytes.size());
    return {};
  }
  std::memcpy(header_.data() + header_have_, bytes.data(), bytes.size());
  header_have_ += bytes.size();
  if (header_have_ < header_size_) return {};
  header_have_ = 0;
  return check_header();
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
