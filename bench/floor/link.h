#pragma once

#include <cstddef>
#include <vector>

#include "bench/floor/tls.h"
#include "common/fd.h"

namespace usbloop::bench {

/// What all links of a process use in turn.
struct Scratch {
  Scratch();
  std::vector<std::byte> raw;     ///< as received by TCP
  std::vector<std::byte> plain;   ///< read from the plain side, or decrypted
  std::vector<std::byte> sealed;  ///< encrypted
  TlsBuffers tls;
};

/// One relayed connection: a plain socket and a TLS socket. A message costs one receive and one send; memory of its own
/// only while a receiver is behind, and then its sender is not read from.
class Link {
 public:
  Link(Fd plain, Fd sealed, SslPtr ssl, Scratch& scratch);

  /// Begins the handshake. Each function is false when the link is over.
  bool start() { return shake_hands(); }
  bool serve_plain();
  bool serve_sealed();

  /// What epoll is to wait for on each socket (EPOLLIN, EPOLLOUT).
  [[nodiscard]] unsigned plain_interest() const;
  [[nodiscard]] unsigned sealed_interest() const;
  [[nodiscard]] int plain_fd() const { return plain_.get(); }
  [[nodiscard]] int sealed_fd() const { return sealed_.get(); }

  /// What the epoll waits for at present.
  unsigned plain_registered = 0;
  unsigned sealed_registered = 0;
  /// It has ended, and stays until the events at hand are done.
  bool ended = false;

 private:
  using Bytes = std::vector<std::byte>;
  bool shake_hands();
  bool seal(std::span<const std::byte> bytes);
  bool open(std::span<const std::byte> raw);
  static bool send_or_keep(int fd, std::span<const std::byte> bytes, Bytes& kept);
  static bool send_kept(int fd, Bytes& kept);

  Fd plain_;
  Fd sealed_;
  SslPtr ssl_;
  Scratch& scratch_;
  bool ready_ = false;  ///< the handshake is over
  Bytes to_plain_;      ///< what did not fit into the socket
  Bytes to_sealed_;
};

}  // namespace usbloop::bench
