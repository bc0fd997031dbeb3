#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/kube/proxy.h"

// For tests only.
namespace usbloop::client::testing {

/// A proxy that carries every connection to 127.0.0.1, whatever host is asked for, to the port that is asked for.
class ProxyDouble {
 public:
  explicit ProxyDouble(kube::Proxy::Kind kind);
  ~ProxyDouble();
  ProxyDouble(const ProxyDouble&) = delete;
  ProxyDouble& operator=(const ProxyDouble&) = delete;

  [[nodiscard]] kube::Proxy proxy() const;
  /// How many connections it has carried.
  [[nodiscard]] int tunnels() const { return tunnels_; }
  /// Ends the connection that came first.
  void cut_first();

 private:
  void listen();
  void serve(int client);
  /// The port that the client asks for; 0 when it asks for something else.
  std::uint16_t greet(int client) const;

  const kube::Proxy::Kind kind_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<int> tunnels_ = 0;
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace usbloop::client::testing
