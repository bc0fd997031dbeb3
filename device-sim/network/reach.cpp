#include "device-sim/network/reach.h"

#include <algorithm>
#include <optional>

#include "device-sim/network/ethernet.h"

namespace usbloop::network {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800, kArp = 0x0806;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17;
constexpr std::uint16_t kDhcpServer = 67, kDns = 53;
constexpr std::uint32_t kEverybody = 0xffffffff;

std::uint8_t octet_of(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

std::uint16_t big_16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(octet_of(bytes, at) << 8 | octet_of(bytes, at + 1));
}

std::uint32_t big_32(std::span<const std::byte> bytes, std::size_t at) {
  return std::uint32_t{big_16(bytes, at)} << 16 | big_16(bytes, at + 2);
}

/// What decides about an IPv4 packet (RFC 791, 3.1) without options and in one piece.
struct Packet {
  std::uint8_t protocol = 0;
  std::uint32_t destination = 0;
  std::optional<std::uint16_t> port;  ///< destination's, of TCP and UDP
  bool begins_connection = false;     ///< TCP: SYN without ACK, or it cannot be told
};

std::optional<Packet> read_packet(std::span<const std::byte> bytes) {
  constexpr std::size_t kHead = 20, kPortsSize = 4, kTcpFlags = 13;
  constexpr std::uint8_t kVersionAndHead = 0x45;
  constexpr std::uint16_t kMoreOrOffset = 0x3fff;
  if (bytes.size() < kHead || octet_of(bytes, 0) != kVersionAndHead) return std::nullopt;
  const std::size_t total = big_16(bytes, 2);
  if (total < kHead || total > bytes.size() || (big_16(bytes, 6) & kMoreOrOffset) != 0) return std::nullopt;
  Packet packet;
  packet.protocol = octet_of(bytes, 9);
  packet.destination = big_32(bytes, 16);
  packet.begins_connection = true;
  const bool has_ports = packet.protocol == kTcp || packet.protocol == kUdp;
  if (!has_ports || total - kHead < kPortsSize) return packet;
  packet.port = big_16(bytes, kHead + 2);
  if (packet.protocol == kTcp && total - kHead > kTcpFlags) {
    constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;
    packet.begins_connection = (octet_of(bytes, kHead + kTcpFlags) & (kSyn | kAck)) == kSyn;
  }
  return packet;
}

/// 0/8 and 127/8 are this machine for it, 169.254/16 is link-local, and from 224/4 on there is no single machine.
bool is_outside(std::uint32_t address) {
  const std::uint32_t first = address >> 24;
  return first != 0 && first != 127 && address >> 16 != 0xa9fe && first < 224;
}

}  // namespace

bool Reach::allows(std::span<const std::byte> frame) const {
  if (frame.size() < kFrameHead) return false;
  const std::uint16_t type = big_16(frame, 12);
  if (type != kIpv4) return type == kArp;
  const auto packet = read_packet(frame.subspan(kFrameHead));
  if (!packet) return false;
  const std::uint32_t to = packet->destination;
  if (packet->protocol == kUdp && packet->port == kDhcpServer && (to == kEverybody || to == kHostAddress)) return true;
  if (to == kHostAddress) {
    if (packet->protocol == kIcmp) return true;
    return packet->port && std::find(ports.begin(), ports.end(), *packet->port) != ports.end();
  }
  if (to == kResolverAddress) return outside && packet->port == kDns;
  // The library would take the others of its network for this machine.
  if ((to & kNetworkMask) == kNetworkAddress) return false;
  return outside && is_outside(to);
}

bool may_open_socket(std::span<const std::byte> frame) {
  if (frame.size() < kFrameHead || big_16(frame, 12) != kIpv4) return false;
  const auto packet = read_packet(frame.subspan(kFrameHead));
  return packet && (packet->protocol != kTcp || packet->begins_connection);
}

}  // namespace usbloop::network
