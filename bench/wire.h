#pragma once

#include <usbredirproto.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace usbloop::bench {

// What goes over every road under test: a well-formed usbredir stream, as launcher-sim demands it of a client. A hello
// each way, then bulk packets. A packet's id tells the peer what to do with it, so no second connection is needed and
// the bytes are the same on every road.

constexpr std::size_t kHelloBytes = 12 + 64 + 4;
constexpr std::size_t kPacketHead = sizeof(usb_redir_header) + sizeof(usb_redir_bulk_packet_header);
constexpr std::size_t kLongestPacket = std::size_t{1} << 20U;
/// Size of requests and answers that carry nothing.
constexpr std::size_t kShortPacket = 64;

/// What the peer does with a packet.
enum class Order : std::uint8_t {
  echo = 1,      ///< answers with a packet of the same size
  sink = 2,      ///< drops it
  sink_ack = 3,  ///< drops it and answers with a short packet
  source = 4     ///< sends `count` packets of `size` bytes
};

/// The id of a packet: the order and, for `source`, what to send.
struct PacketId {
  Order order = Order::echo;
  std::uint32_t size = 0;   ///< up to kLongestPacket
  std::uint32_t count = 0;  ///< packets
};

inline std::uint64_t encode_id(const PacketId& id) {
  return std::uint64_t(id.order) << 56U | std::uint64_t(id.size) << 32U | id.count;
}

inline PacketId decode_id(std::uint64_t value) {
  return {Order(value >> 56U), std::uint32_t(value >> 32U) & 0xffffffU, std::uint32_t(value)};
}

/// The endpoint's direction says who may put data behind the head.
constexpr std::uint8_t kFromDevice = 0x81;
constexpr std::uint8_t kToDevice = 0x02;

/// Writes the hello of either side. `caps`: bits of usb_redir_cap_*.
inline void put_hello(std::byte* to, const char* version, std::uint32_t caps) {
  const std::uint32_t head[3] = {usb_redir_hello, 64 + 4, 0};
  std::memset(to, 0, kHelloBytes);
  std::memcpy(to, head, sizeof head);
  std::memcpy(to + sizeof head, version, std::strlen(version));
  std::memcpy(to + kHelloBytes - sizeof caps, &caps, sizeof caps);
}

/// What the client of the project offers, and what QEMU offers.
constexpr std::uint32_t kClientCaps = 0x7e;
constexpr std::uint32_t kQemuCaps = 0xff;

/// Writes the head of a bulk packet of `size` bytes in all (at least kPacketHead).
inline void put_packet_head(std::byte* to, std::size_t size, std::uint8_t endpoint, const PacketId& id) {
  const auto data = static_cast<std::uint32_t>(size - kPacketHead);
  usb_redir_header head{};
  head.type = usb_redir_bulk_packet;
  head.length = static_cast<std::uint32_t>(size - sizeof head);
  head.id = encode_id(id);
  usb_redir_bulk_packet_header bulk{};
  bulk.endpoint = endpoint;
  bulk.length = static_cast<std::uint16_t>(data & 0xffffU);
  bulk.length_high = static_cast<std::uint16_t>(data >> 16U);
  std::memcpy(to, &head, sizeof head);
  std::memcpy(to + sizeof head, &bulk, sizeof bulk);
}

/// Size in bytes and id of the packet whose head begins at `from` (kPacketHead bytes).
struct PacketHead {
  std::size_t size;
  PacketId id;
};
inline PacketHead read_packet_head(const std::byte* from) {
  usb_redir_header head{};
  std::memcpy(&head, from, sizeof head);
  return {sizeof head + head.length, decode_id(head.id)};
}

}  // namespace usbloop::bench
