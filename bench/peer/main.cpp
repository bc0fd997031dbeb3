// The far end of every road: one process that serves the USB sockets of all stand-in guests, a unix socket for the
// direct road and the floor, and a TCP port. Usage: usbloop-bench-peer DIRECTORY. It makes in there: `peer.sock`, and
// `control.sock`, where stand-ins hand over their listening sockets. Says "ready PORT" when all is there.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>

#include "bench/peer/connection.h"
#include "bench/sockets.h"

namespace usbloop::bench {
namespace {

class Peer {
 public:
  explicit Peer(const std::string& directory) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    std::uint16_t port = 0;
    add({.kind = Kind::listener, .fd = listen_tcp(port)}, EPOLLIN);
    add({.kind = Kind::listener, .fd = listen_unix(directory + "/peer.sock", SOMAXCONN)}, EPOLLIN);
    add({.kind = Kind::control_listener, .fd = listen_unix(directory + "/control.sock", SOMAXCONN)}, EPOLLIN);
    std::printf("ready %u\n", port);
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) give_up("epoll_wait");
      for (int i = 0; i < count; ++i) {
        // Serving another one may have ended this one.
        if (const auto found = entries_.find(events[static_cast<std::size_t>(i)].data.fd); found != entries_.end()) {
          serve(found->second);
        }
      }
    }
  }

 private:
  enum class Kind { listener, control_listener, control, connection };
  struct Entry {
    Kind kind = Kind::listener;
    Fd fd = {};      ///< not of a connection, which has its own
    int owner = -1;  ///< the control connection of the stand-in it belongs to
    bool writes = false;
    std::unique_ptr<PeerConnection> connection = {};
    [[nodiscard]] int number() const { return connection ? connection->fd() : fd.get(); }
  };

  void add(Entry entry, std::uint32_t interest) {
    const int fd = entry.number();
    epoll_event event{};
    event.events = interest;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
    entries_.insert_or_assign(fd, std::move(entry));
  }

  void serve(Entry& entry) {
    switch (entry.kind) {
      case Kind::listener:
      case Kind::control_listener: return accept_from(entry);
      case Kind::control: return take_listeners(entry);
      case Kind::connection: break;
    }
    if (!entry.connection->serve()) {
      entries_.erase(entry.number());  // its descriptor closes, and with that leaves the epoll
      return;
    }
    if (entry.writes == entry.connection->wants_to_write()) return;
    entry.writes = !entry.writes;
    epoll_event event{};
    event.events = entry.writes ? EPOLLOUT : EPOLLIN;
    event.data.fd = entry.number();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, event.data.fd, &event);
  }

  void accept_from(const Entry& listener) {
    Fd socket(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    if (listener.kind == Kind::control_listener) return add({.kind = Kind::control, .fd = std::move(socket)}, EPOLLIN);
    set_nodelay(socket.get());
    Entry entry{.kind = Kind::connection, .owner = listener.owner};
    entry.writes = true;
    entry.connection = std::make_unique<PeerConnection>(std::move(socket));
    add(std::move(entry), EPOLLOUT);
  }

  /// A stand-in hands over its sockets, or has ended. Its sockets then end with it, as QEMU's would.
  void take_listeners(const Entry& control) {
    std::array<int, 8> fds{};
    const int owner = control.number();
    const int count = receive_fds(owner, fds.data(), fds.size());
    for (int i = 0; i < count; ++i) {
      add({.kind = Kind::listener, .fd = Fd(fds[static_cast<std::size_t>(i)]), .owner = owner}, EPOLLIN);
    }
    if (count != 0) return;
    std::erase_if(entries_, [owner](const auto& entry) { return entry.second.owner == owner; });
    entries_.erase(owner);
  }

  Fd epoll_;
  std::map<int, Entry> entries_;  ///< by descriptor
};

}  // namespace
}  // namespace usbloop::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("Usage: usbloop-bench-peer DIRECTORY\n", stderr);
    return 2;
  }
  usbloop::bench::live_with_parent();
  return usbloop::bench::run_program([argv] { usbloop::bench::Peer(argv[1]).run(); });
}
