#include "e2e/harness/delay_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace usbloop::e2e {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostUnderWay = std::size_t{64} << 20;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

Fd tcp_socket() { return Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

/// On a free port, which is put into `port`.
Fd listen_on_any(std::uint16_t& port) {
  Fd socket = tcp_socket();
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), any, size) != 0 || ::listen(socket.get(), 16) != 0 ||
      ::getsockname(socket.get(), any, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "listen on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
  return socket;
}

/// No descriptor when nobody listens there.
Fd connect_to(std::uint16_t port) {
  Fd socket = tcp_socket();
  const sockaddr_in address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Fd();
  return socket;
}

void send_at_once(const Fd& socket) {
  const int on = 1;
  static_cast<void>(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

/// One direction of a connection.
class Lane {
 public:
  Lane(int from, int to) : from_(from), to_(to) {}

  [[nodiscard]] bool wants_input() const { return !ended_ && size_ < kMostUnderWay; }
  [[nodiscard]] bool is_due(Clock::time_point now) const { return !pieces_.empty() && pieces_.front().due <= now; }
  [[nodiscard]] std::optional<Clock::time_point> next() const {
    return pieces_.empty() ? std::nullopt : std::optional(pieces_.front().due);
  }
  [[nodiscard]] bool is_over() const { return ended_ && pieces_.empty(); }

  void read(Clock::time_point due) {
    std::vector<std::byte> bytes(std::size_t{256} << 10);
    const ssize_t got = ::recv(from_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    ended_ = bytes.empty();
    size_ += bytes.size();
    pieces_.push_back({due, std::move(bytes), 0});  // an empty one: the end, which takes its time too
  }

  /// Sends what is due, as far as it is taken.
  void write(Clock::time_point now) {
    while (is_due(now)) {
      Piece& piece = pieces_.front();
      const auto rest = std::span(piece.bytes).subspan(piece.sent);
      if (rest.empty()) {
        ::shutdown(to_, SHUT_WR);
        pieces_.pop_front();
        continue;
      }
      const ssize_t put = ::send(to_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (put < 0) {
        ended_ = true;
        pieces_.clear();
        return;
      }
      piece.sent += static_cast<std::size_t>(put);
      size_ -= static_cast<std::size_t>(put);
      if (piece.sent == piece.bytes.size()) pieces_.pop_front();
    }
  }

 private:
  struct Piece {
    Clock::time_point due;
    std::vector<std::byte> bytes;
    std::size_t sent;
  };
  int from_;
  int to_;
  std::deque<Piece> pieces_;
  std::size_t size_ = 0;
  bool ended_ = false;
};

struct Connection {
  Connection(Fd client_side, Fd server_side)
      : client(std::move(client_side)),
        server(std::move(server_side)),
        up(client.get(), server.get()),
        down(server.get(), client.get()) {}

  Fd client, server;
  Lane up, down;
};

/// What to wait for at `fd`, which `in` reads and `out` writes; nothing (no descriptor) at one that is only hung up.
pollfd entry(int fd, const Lane& in, const Lane& out, Clock::time_point now) {
  const auto events = static_cast<short>((in.wants_input() ? POLLIN : 0) | (out.is_due(now) ? POLLOUT : 0));
  return {events != 0 ? fd : -1, events, 0};
}

/// Until the next piece is due; for ever when there is none.
std::optional<timespec> patience(const std::list<Connection>& connections, Clock::time_point now) {
  std::optional<Clock::time_point> first;
  for (const Connection& each : connections) {
    for (const auto& due : {each.up.next(), each.down.next()}) {
      if (due && *due > now && (!first || *due < *first)) first = due;
    }
  }
  if (!first) return std::nullopt;
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(*first - now).count();
  return timespec{left / 1'000'000'000, left % 1'000'000'000};
}

}  // namespace

DelayProxy::DelayProxy(std::uint16_t server_port, std::chrono::microseconds one_way)
    : server_port_(server_port),
      one_way_(one_way),
      listener_(listen_on_any(port_)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { run(); }) {}

DelayProxy::~DelayProxy() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_.get(), &one, sizeof one));
  thread_.join();
}

void DelayProxy::run() {
  std::list<Connection> connections;
  while (true) {
    auto now = Clock::now();
    std::vector<pollfd> polled = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Connection& each : connections) {
      polled.push_back(entry(each.client.get(), each.up, each.down, now));
      polled.push_back(entry(each.server.get(), each.down, each.up, now));
    }
    const auto wait = patience(connections, now);
    ::ppoll(polled.data(), polled.size(), wait ? &*wait : nullptr, nullptr);
    if (polled[0].revents != 0) return;
    now = Clock::now();
    std::size_t at = 2;
    const auto serve = [&](Lane& in) {
      if ((polled[at++].revents & ~POLLOUT) != 0 && in.wants_input()) in.read(now + one_way_);
    };
    for (Connection& each : connections) {
      serve(each.up);
      serve(each.down);
      each.up.write(now);
      each.down.write(now);
    }
    connections.remove_if([](const Connection& each) { return each.up.is_over() && each.down.is_over(); });
    if (polled[1].revents == 0) continue;
    Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;
    Fd server = connect_to(server_port_);
    if (!server) continue;
    send_at_once(client);
    send_at_once(server);
    connections.emplace_back(std::move(client), std::move(server));
  }
}

}  // namespace usbloop::e2e
