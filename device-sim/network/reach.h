#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace usbloop::network {

/// IPv4 addresses of the user-mode network, in the host's byte order. No machine but the guest is there.
inline constexpr std::uint32_t kNetworkAddress = 0x0a000200, kNetworkMask = 0xffffff00, kHostAddress = 0x0a000202,
                               kResolverAddress = 0x0a000203, kGuestAddress = 0x0a00020f;

/// How far a guest's frames go.
struct Reach {
  std::vector<std::uint16_t> ports = {};  ///< of this machine's loopback, which the guest has at 10.0.2.2; TCP and UDP
  bool outside = false;                   ///< wherever this machine's user gets, but for this machine's loopback

  [[nodiscard]] bool is_closed() const { return ports.empty() && !outside; }
  /// Whether a frame goes no further than that. Always let through: ARP, DHCP, and pings of 10.0.2.2. Never: IPv6,
  /// other protocols than IPv4, groups, the addresses that mean this machine, and link-local ones, where clouds keep
  /// what only the machine itself may know. Neither are packets in pieces, by which a guest makes
  /// libslirp 4.7 (Debian 12) crash, nor those with options, which nobody sends.
  [[nodiscard]] bool allows(std::span<const std::byte> frame) const;
};

/// Whether a frame that Reach allows may make the host open one more socket: all but the later packets of a TCP
/// connection.
bool may_open_socket(std::span<const std::byte> frame);

}  // namespace usbloop::network
