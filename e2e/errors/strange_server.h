#pragma once

#include <string>
#include <thread>

#include "common/fd.h"
#include "common/net/test_certificate.h"

namespace usbloop::e2e {

/// Listens on a port of 127.0.0.1, which it chooses.
class LocalPort {
 public:
  LocalPort();
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] const Fd& listener() const { return listener_; }
  /// `https://127.0.0.1:PORT` and the like.
  [[nodiscard]] std::string url(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(number_);
  }

 private:
  Fd listener_;
  int number_ = 0;
};

/// Reads the first bytes of one connection, says this text and closes: a server without TLS, a proxy that refuses.
class OneAnswer {
 public:
  explicit OneAnswer(std::string text);
  ~OneAnswer();
  [[nodiscard]] const LocalPort& port() const { return port_; }

 private:
  LocalPort port_;
  std::thread thread_;
};

/// Offers TLS with this certificate to one connection.
class OneHandshake {
 public:
  explicit OneHandshake(const net::test::Pem& pem);
  ~OneHandshake();
  [[nodiscard]] const LocalPort& port() const { return port_; }

 private:
  LocalPort port_;
  std::thread thread_;
};

}  // namespace usbloop::e2e
