#include "bench/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace usbloop::bench {
namespace {

constexpr std::size_t kMostFds = 8;

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    give_up(path.c_str());
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

template <typename Address>
Fd bound(int family, const Address& address, int backlog, const char* name) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), backlog) != 0) {
    give_up(name);
  }
  return socket;
}

template <typename Address>
Fd connected(int family, const Address& address, const char* name) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up(name);
  }
  return socket;
}

}  // namespace

void give_up(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int run_program(const std::function<void()>& program) {
  try {
    program();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", ::program_invocation_short_name, failure.what());
    return 1;
  }
  return 0;
}

Fd listen_unix(const std::string& path, int backlog) {
  ::unlink(path.c_str());
  return bound(AF_UNIX, unix_address(path), backlog, path.c_str());
}

Fd listen_tcp(std::uint16_t& port) {
  Fd socket = bound(AF_INET, loopback(0), SOMAXCONN, "listen on 127.0.0.1");
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) give_up("getsockname");
  port = ntohs(address.sin_port);
  return socket;
}

Fd connect_unix_to(const std::string& path) { return connected(AF_UNIX, unix_address(path), path.c_str()); }

Fd connect_tcp_to(std::uint16_t port) {
  Fd socket = connected(AF_INET, loopback(port), "connect to 127.0.0.1");
  set_nodelay(socket.get());
  return socket;
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

void set_nodelay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void send_fds(int socket, const int* fds, std::size_t count) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(head), fds, count * sizeof(int));
  if (::sendmsg(socket, &message, MSG_NOSIGNAL) != 1) give_up("hand over the sockets");
}

int receive_fds(int socket, int* fds, std::size_t room) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? -1 : 0;
  if (got == 0) return 0;
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return 0;
  const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  if (count > room) give_up("too many descriptors in one message");
  std::memcpy(fds, CMSG_DATA(head), count * sizeof(int));
  return static_cast<int>(count);
}

void live_with_parent() {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace usbloop::bench
