#pragma once

#include <usbredirproto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <vector>

namespace usbloop::capture {

/// What the hellos of both sides have in common. It decides how long headers are.
class Capabilities {
 public:
  /// `body` of a hello. The first one of each side counts.
  void take_hello(bool from_guest, std::span<const std::byte> body);
  [[nodiscard]] bool long_ids() const { return both(usb_redir_cap_64bits_ids); }
  [[nodiscard]] bool long_bulk() const { return both(usb_redir_cap_32bits_bulk_length); }

 private:
  [[nodiscard]] bool both(int capability) const { return (((sides_[0] & sides_[1]) >> capability) & 1U) != 0; }
  std::array<std::uint32_t, 2> sides_{};
  std::array<bool, 2> seen_{};
};

/// One packet of usbredir, whichever side it comes from.
struct Packet {
  std::uint32_t type = 0;
  std::uint64_t id = 0;
  std::array<std::byte, sizeof(usb_redir_ep_info_header)> header{};  ///< of its type; zeros where it is shorter
  std::vector<std::byte> data;                                       ///< as much as is kept
  std::size_t data_size = 0;                                         ///< as it was on the wire

  template <typename Header>
  [[nodiscard]] Header as() const {
    static_assert(sizeof(Header) <= sizeof(usb_redir_ep_info_header));
    Header result;
    std::memcpy(&result, header.data(), sizeof result);
    return result;
  }
};

/// Cuts the bytes of one direction into packets. It only looks on: what is wrong ends the cutting, and is for those to
/// refuse who carry the bytes. Holds the packet at hand and nothing else.
class PacketStream {
 public:
  /// `keep`: bytes of data of a packet, at most; control packets are always kept whole.
  PacketStream(const Capabilities& capabilities, std::size_t keep) : capabilities_(capabilities), keep_(keep) {}

  void feed(std::span<const std::byte> bytes, const std::function<void(Packet&&)>& take);

  /// A packet was too short for its type, and nothing is read any more.
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  std::size_t take_packet_header(std::span<const std::byte> bytes);
  std::size_t take_body(std::span<const std::byte> bytes);
  void begin_body(std::size_t length);
  [[nodiscard]] bool is_complete() const { return in_body_ && left_ == 0; }

  const Capabilities& capabilities_;
  const std::size_t keep_;
  std::array<std::byte, sizeof(usb_redir_header)> raw_{};
  std::size_t have_ = 0;  ///< of the packet's header
  Packet packet_;
  bool in_body_ = false;
  std::size_t header_size_ = 0;  ///< of the type's header
  std::size_t header_have_ = 0;
  std::size_t left_ = 0;       ///< of the body
  std::size_t keep_left_ = 0;  ///< of the data that are kept
  bool broken_ = false;
};

}  // namespace usbloop::capture
