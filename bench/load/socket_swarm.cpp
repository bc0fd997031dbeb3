#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "bench/load/session.h"
#include "bench/load/swarm.h"
#include "bench/sockets.h"
#include "e2e/harness/failure.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using e2e::Failure;

class SocketSwarm final : public Swarm {
 public:
  explicit SocketSwarm(std::uint16_t port) : port_(port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  std::vector<double> grow_to(std::size_t count) override {
    std::vector<double> times;
    const auto hello = client_hello();
    while (members_.size() < count) {
      const auto begin = Clock::now();
      Member member{connect_tcp_to(port_), {}, 0};
      if (::send(member.socket.get(), hello.data(), hello.size(), MSG_NOSIGNAL) != ssize_t(hello.size()) ||
          ::recv(member.socket.get(), buffer_.data(), kHelloBytes, MSG_WAITALL) != ssize_t(kHelloBytes)) {
        throw Failure("the floor does not answer");
      }
      times.push_back(microseconds(Clock::now() - begin) / 1000);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = members_.size();
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, member.socket.get(), &event);
      members_.push_back(std::move(member));
    }
    return times;
  }

  Traffic run(const CrowdPlan& plan) override {
    message_ = packet_of(plan.bytes, {Order::echo});
    Traffic traffic;
    const auto begin = Clock::now();
    const auto until = begin + plan.time;
    std::size_t flying = plan.active;
    for (std::size_t i = 0; i < plan.active; ++i) send_from(members_[i]);
    std::array<epoll_event, 256> events{};
    while (flying > 0) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     static_cast<int>(kStandstill.count() * 1000));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw Failure("the floor stands still");
      for (int i = 0; i < count; ++i) {
        Member& member = members_[events[static_cast<std::size_t>(i)].data.u64];
        if (!receive(member)) continue;
        const auto now = Clock::now();
        traffic.times_us.push_back(microseconds(now - member.sent));
        if (now < until) {
          send_from(member);
        } else {
          --flying;
        }
      }
    }
    traffic.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return traffic;
  }

 private:
  struct Member {
    Fd socket;
    Clock::time_point sent;
    std::size_t missing;  ///< bytes of the echo
  };

  void send_from(Member& member) {
    member.sent = Clock::now();
    member.missing = message_.size();
    const ssize_t put = ::send(member.socket.get(), message_.data(), message_.size(), MSG_NOSIGNAL);
    if (put != ssize_t(message_.size())) throw Failure("the floor does not take a message");
  }

  /// True when the echo is whole.
  bool receive(Member& member) {
    const ssize_t got = ::recv(member.socket.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0 || std::size_t(got) > member.missing) throw Failure("the floor broke a connection");
    member.missing -= std::size_t(got);
    return member.missing == 0;
  }

  const std::uint16_t port_;
  Fd epoll_;
  std::vector<Member> members_;
  std::vector<std::byte> message_;
  std::array<std::byte, 64 * 1024> buffer_{};
};

}  // namespace

std::unique_ptr<Swarm> make_socket_swarm(std::uint16_t port) { return std::make_unique<SocketSwarm>(port); }

}  // namespace usbloop::bench
