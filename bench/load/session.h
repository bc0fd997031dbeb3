#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/wire.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::bench {

/// How often a message of `size` bytes goes there and back: `count` times after the warm-up, or as often as fits into
/// `at_most`.
struct PingPlan {
  std::size_t size = 0;
  std::size_t warm_up = 0;
  std::size_t count = 0;
  std::chrono::milliseconds at_most{0};
};

/// One open session on some road, hellos exchanged. Blocking; all functions throw e2e::Failure when the road breaks or
/// stands still for kStandstill. For one thread, which does all the work of this end.
class Session {
 public:
  virtual ~Session() = default;

  /// Round-trip times in nanoseconds.
  virtual std::vector<std::uint32_t> ping_pong(const PingPlan& plan) = 0;
  /// Sends `bytes` in packets of `packet` bytes and returns the seconds from the first byte to the peer's word that the
  /// last one has come.
  virtual double stream_up(std::size_t bytes, std::size_t packet) = 0;
  /// Has the peer send as much; seconds from the request to the last byte.
  virtual double stream_down(std::size_t bytes, std::size_t packet) = 0;
};

constexpr std::chrono::seconds kStandstill{20};
/// For a session to be there.
constexpr std::chrono::seconds kConnectTime{15};

/// Through a unix socket, and through a TCP port of this machine.
std::unique_ptr<Session> open_unix_session(const std::string& path);
std::unique_ptr<Session> open_tcp_session(std::uint16_t port);

/// Through the client library: a websocket to the usbredir subresource at `path` of the API server.
std::unique_ptr<Session> open_channel_session(const kube::ClusterAccess& access, const std::string& path);

/// A packet from the device's side, whole: head and zeros.
std::vector<std::byte> packet_of(std::size_t size, const PacketId& id);
/// The hello of the device's side.
std::vector<std::byte> client_hello();

}  // namespace usbloop::bench
