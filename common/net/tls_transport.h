#pragma once

#include <openssl/types.h>

#include "common/net/buffer.h"
#include "common/net/stream.h"

namespace usbloop::net {

/// What libssl reads from and writes to: a plain stream, with records gathered. The records of one SSL_write leave in
/// one system call and not in one each, and a read that is told not to wait takes what has come already.
class TlsTransport {
 public:
  explicit TlsTransport(StreamPtr plain) : plain_(std::move(plain)) {}
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  /// Makes `ssl` use this transport, which must outlive it.
  Result<> attach(SSL* ssl);

  Stream& plain() { return *plain_; }
  [[nodiscard]] const Stream& plain() const { return *plain_; }

  /// Whether reads may go to the socket, or only to what libssl has of it.
  void allow_reading(bool allowed) { reading_allowed_ = allowed; }

  /// Whether the last read of the socket has left nothing in it; true once for each such read.
  bool take_drained();

  /// Writes what has been gathered: ok (all of it, also when there is nothing), want_write or failed.
  IoResult flush();

  /// errno of the last failure of the socket; 0: none.
  [[nodiscard]] int error_number() const { return error_number_; }

 private:
  friend struct TlsTransportCallbacks;
  int read(BIO* bio, std::span<std::byte> buffer);
  int write(BIO* bio, std::span<const std::byte> bytes);

  StreamPtr plain_;
  Buffer gathered_;  ///< records on their way; empty between writes
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool reading_allowed_ = true;
  bool drained_ = false;
  bool at_end_ = false;
  int error_number_ = 0;
};

}  // namespace usbloop::net
