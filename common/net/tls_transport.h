#pragma once

#include <openssl/types.h>

#include "common/net/buffer.h"
#include "common/net/stream.h"

namespace usbloop::net {

/// What libssl reads from and writes to: a plain stream, or the TLS stream of a proxy, with records gathered. The
/// records of one SSL_write leave in one system call instead of one each, and one receive brings all records that have
/// come. libssl's own read-ahead would receive so too, but for each record it moves what it holds to the front of its
/// buffer.
class TlsTransport {
 public:
  explicit TlsTransport(StreamPtr plain) : plain_(std::move(plain)) {}
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  /// Makes `ssl` use this transport, which must outlive it.
  Result<> attach(SSL* ssl);

  Stream& plain() { return *plain_; }
  [[nodiscard]] const Stream& plain() const { return *plain_; }

  /// Whether reads may go to the socket, or only to what has been received.
  void allow_reading(bool allowed) { reading_allowed_ = allowed; }

  /// Whether bytes have been received that libssl has not taken yet.
  [[nodiscard]] bool holds_input() const { return input_begin_ < input_end_; }

  /// Whether the last read of the socket has left nothing in it; true once for each such read.
  bool take_drained();

  /// Writes what has been gathered: ok (all of it, also when there is nothing), want_write or failed.
  IoResult flush();

  /// errno of the last failure of the socket; 0: none.
  [[nodiscard]] int error_number() const { return error_number_; }

 private:
  /// The first records of a long write leave at once: the peer opens them while the others are made.
  static constexpr std::size_t kHead = std::size_t{32} * 1024;

  friend struct TlsTransportCallbacks;
  int read(BIO* bio, std::span<std::byte> buffer);
  int write(BIO* bio, std::span<const std::byte> bytes);
  IoResult receive();
  IoResult send_gathered();

  StreamPtr plain_;
  Buffer input_;  ///< records that have come; empty between reads that took all
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  Buffer gathered_;  ///< records on their way; empty between writes
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool head_sent_ = false;
  bool reading_allowed_ = true;
  bool drained_ = false;
  bool at_end_ = false;
  int error_number_ = 0;
};

}  // namespace usbloop::net
