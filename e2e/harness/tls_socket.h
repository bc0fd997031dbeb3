#pragma once

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/fd.h"
#include "e2e/harness/wait.h"

namespace usbloop::e2e {

/// Both sides of the harness's own wire work: a byte stream with deadlines that can be made to misbehave.
class Wire {
 public:
  virtual ~Wire() = default;
  /// Writes all; false when the peer is gone or takes nothing for `timeout`. `sent` counts what went out.
  virtual bool send(std::string_view bytes, milliseconds timeout, std::size_t* sent) = 0;
  bool send(std::string_view bytes) { return send(bytes, 10s, nullptr); }
  /// Appends what comes (one read); false at the end of the stream. Throws Failure when nothing comes in time.
  virtual bool receive(std::string& into, milliseconds timeout) = 0;

  /// Everything until the peer closes; Failure when it does not close in time.
  std::string receive_to_end(milliseconds timeout);
  /// Receives until `text` is in what came, and returns all of it; what came so far when the peer closes first.
  std::string receive_through(std::string_view text, milliseconds timeout);
};

/// A TCP connection to 127.0.0.1.
Fd connect_tcp(const std::string& host, int port);

/// A plain socket that is already connected.
class PlainSocket : public Wire {
 public:
  explicit PlainSocket(Fd fd) : fd_(std::move(fd)) {}
  using Wire::send;
  bool send(std::string_view bytes, milliseconds timeout, std::size_t* sent) override;
  bool receive(std::string& into, milliseconds timeout) override;
  [[nodiscard]] int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }

 private:
  Fd fd_;
};

/// A TLS client on TCP that trusts only `ca_file`. Throws Failure when it cannot connect.
class TlsSocket : public Wire {
 public:
  TlsSocket(const std::string& host, int port, const std::filesystem::path& ca_file);
  ~TlsSocket() override;
  using Wire::send;
  bool send(std::string_view bytes, milliseconds timeout, std::size_t* sent) override;
  bool receive(std::string& into, milliseconds timeout) override;
  /// Sends close_notify and ends the write side; reading goes on.
  void shutdown_write();

 private:
  struct Ssl;
  Fd fd_;
  std::unique_ptr<Ssl> ssl_;
};

}  // namespace usbloop::e2e
