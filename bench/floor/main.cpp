// The floor: what two processes and one TLS hop cost at the least, in C's way, with one event loop a process and no
// websocket. `usbloop-bench-floor agent SOCKET` takes TLS connections and connects each to the unix socket;
// `usbloop-bench-floor client PORT` takes TCP connections and connects each to that agent. Both say "ready PORT".
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bench/floor/link.h"
#include "bench/sockets.h"

namespace usbloop::bench {
namespace {

/// Which of a link's sockets an event is about, in the lowest bit of the pointer.
constexpr std::uintptr_t kSealedBit = 1;

class Relay {
 public:
  /// `target`: the agent's unix socket, or the port of the agent.
  Relay(bool client, std::string target)
      : client_(client),
        target_(std::move(target)),
        context_(client ? make_client_context() : make_agent_context()),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    std::uint16_t port = 0;
    listener_ = listen_tcp(port);
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
    std::printf("ready %u\n", port);
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) give_up("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
        if (data == 0) {
          accept_one();
          continue;
        }
        auto* link = reinterpret_cast<Link*>(data & ~kSealedBit);
        if (!link->ended) serve(link, (data & kSealedBit) != 0);
      }
      // Not before the batch is done: another event of the batch may name an address that is in use again.
      ended_.clear();
    }
  }

 private:
  void accept_one() {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    set_nodelay(socket.get());
    Fd other =
        client_ ? connect_tcp_to(static_cast<std::uint16_t>(std::atoi(target_.c_str()))) : connect_unix_to(target_);
    set_nonblocking(other.get());
    Fd& plain = client_ ? socket : other;
    Fd& sealed = client_ ? other : socket;
    auto link = std::make_unique<Link>(std::move(plain), std::move(sealed), make_tls(*context_, scratch_.tls, client_),
                                       scratch_);
    Link* raw = link.get();
    links_.emplace(raw, std::move(link));
    if (!raw->start()) return end(raw);
    update(raw);
  }

  void serve(Link* link, bool sealed) {
    const bool fine = sealed ? link->serve_sealed() : link->serve_plain();
    if (!fine) return end(link);
    update(link);
  }

  void update(Link* link) {
    const auto address = reinterpret_cast<std::uintptr_t>(link);
    set(link->plain_fd(), address, link->plain_registered, link->plain_interest());
    set(link->sealed_fd(), address | kSealedBit, link->sealed_registered, link->sealed_interest());
  }

  void set(int fd, std::uintptr_t data, unsigned& registered, unsigned wanted) {
    if (registered == wanted) return;
    epoll_event event{};
    event.events = wanted;
    event.data.u64 = data;
    // A socket that waits for nothing leaves the epoll, which would otherwise report a hang-up all the time.
    const int operation = wanted == 0 ? EPOLL_CTL_DEL : registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) give_up("epoll_ctl");
    registered = wanted;
  }

  void end(Link* link) {
    const auto found = links_.find(link);
    ::shutdown(link->plain_fd(), SHUT_RDWR);
    ::shutdown(link->sealed_fd(), SHUT_RDWR);
    link->ended = true;
    ended_.push_back(std::move(found->second));
    links_.erase(found);
  }

  const bool client_;
  const std::string target_;
  SslContextPtr context_;
  Fd epoll_;
  Fd listener_;
  Scratch scratch_;
  std::map<Link*, std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Link>> ended_;
};

}  // namespace
}  // namespace usbloop::bench

int main(int argc, char** argv) {
  const std::string_view role = argc == 3 ? argv[1] : "";
  if (role != "client" && role != "agent") {
    std::fputs("Usage: usbloop-bench-floor agent SOCKET | client PORT\n", stderr);
    return 2;
  }
  usbloop::bench::live_with_parent();
  return usbloop::bench::run_program([role, argv] { usbloop::bench::Relay(role == "client", argv[2]).run(); });
}
