#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bench/load/session.h"
#include "bench/sockets.h"
#include "e2e/harness/failure.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using e2e::Failure;

constexpr std::size_t kReadAtMost = 256 * 1024;

/// Blocking calls on one socket: what costs the least.
class SocketSession final : public Session {
 public:
  explicit SocketSession(Fd socket) : socket_(std::move(socket)), buffer_(kLongestPacket) {
    const timeval limit{kStandstill.count(), 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    send_all(client_hello());
    receive(kHelloBytes);
  }

  std::vector<std::uint32_t> ping_pong(const PingPlan& plan) override {
    const auto message = packet_of(plan.size, {Order::echo});
    std::vector<std::uint32_t> times;
    times.reserve(plan.count);
    for (std::size_t i = 0; i < plan.warm_up; ++i) round_trip(message);
    const auto until = Clock::now() + plan.at_most;
    for (auto begin = Clock::now(); times.size() < plan.count && begin < until;) {
      round_trip(message);
      const auto end = Clock::now();
      times.push_back(static_cast<std::uint32_t>((end - begin).count()));
      begin = end;
    }
    return times;
  }

  double stream_up(std::size_t bytes, std::size_t packet) override {
    const auto message = packet_of(packet, {Order::sink});
    const auto last = packet_of(packet, {Order::sink_ack});
    const auto begin = Clock::now();
    for (std::size_t sent = packet; sent < bytes; sent += packet) send_all(message);
    send_all(last);
    receive(kShortPacket);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  double stream_down(std::size_t bytes, std::size_t packet) override {
    const auto count = static_cast<std::uint32_t>(bytes / packet);
    const auto request = packet_of(kShortPacket, {Order::source, static_cast<std::uint32_t>(packet), count});
    const auto begin = Clock::now();
    send_all(request);
    receive(std::size_t{count} * packet);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

 private:
  void round_trip(const std::vector<std::byte>& message) {
    send_all(message);
    receive(message.size());
  }

  void send_all(const std::vector<std::byte>& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t put = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) throw Failure(std::string("send on the road: ") + std::strerror(errno));
      sent += static_cast<std::size_t>(put);
    }
  }

  void receive(std::size_t size) {
    while (size > 0) {
      const ssize_t got = ::recv(socket_.get(), buffer_.data(), std::min(size, kReadAtMost), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        throw Failure(std::string("receive on the road: ") + (got == 0 ? "the peer closed" : std::strerror(errno)));
      }
      size -= static_cast<std::size_t>(got);
    }
  }

  Fd socket_;
  std::vector<std::byte> buffer_;
};

}  // namespace

std::vector<std::byte> packet_of(std::size_t size, const PacketId& id) {
  std::vector<std::byte> packet(size);
  put_packet_head(packet.data(), size, kFromDevice, id);
  return packet;
}

std::vector<std::byte> client_hello() {
  std::vector<std::byte> hello(kHelloBytes);
  put_hello(hello.data(), "usbloop bench", kClientCaps);
  return hello;
}

std::unique_ptr<Session> open_unix_session(const std::string& path) {
  return std::make_unique<SocketSession>(connect_unix_to(path));
}

std::unique_ptr<Session> open_tcp_session(std::uint16_t port) {
  return std::make_unique<SocketSession>(connect_tcp_to(port));
}

}  // namespace usbloop::bench
