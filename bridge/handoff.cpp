#include "bridge/handoff.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <asio/error.hpp>
#include <span>
#include <utility>

#include "common/net/descriptor_passing.h"

namespace usbloop::bridge {
namespace {

int option_of(const Fd& socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_connected(const Fd& socket) {
  sockaddr_un peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

}  // namespace

std::string with_handoff(std::string head) {
  head.resize(head.size() - 2);  // its empty line
  return head.append(kHandoffHeader).append(": ").append(kHandoffSocket).append("\r\n\r\n");
}

asio::awaitable<Result<>> send_handoff(net::Stream& channel, std::string head, int descriptor) {
  const auto bytes = std::as_bytes(std::span(head));
  while (true) {
    const net::IoResult sent = net::try_write_with_descriptor(channel, bytes, descriptor);
    if (sent.status == net::IoStatus::ok) {
      const auto rest = bytes.subspan(sent.bytes);
      co_return co_await channel.write_all(rest);
    }
    if (sent.status == net::IoStatus::failed) {
      co_return make_errno_error("hand over", "the device's socket", sent.error_number);
    }
    auto ready = co_await channel.wait(sent.status);
    if (!ready) co_return ready;
  }
}

Result<net::StreamPtr> adopt_device(const asio::any_io_executor& executor, Fd descriptor) {
  const auto refuse = [](const char* cause) {
    return make_error(ErrorKind::protocol, "take over", "the device's socket", cause);
  };
  if (option_of(descriptor, SO_DOMAIN) != AF_UNIX || option_of(descriptor, SO_TYPE) != SOCK_STREAM) {
    return refuse("it is no unix stream socket");
  }
  if (!is_connected(descriptor)) return refuse("it is not connected");
  net::Stream::Socket socket(executor);
  asio::error_code code;
  socket.assign(net::Stream::Socket::protocol_type(AF_UNIX, 0), descriptor.get(), code);
  if (code) return make_errno_error("take over", "the device's socket", code.value());
  static_cast<void>(descriptor.release());  // the socket's now
  return net::make_plain_stream(std::move(socket));
}

void end_device(int descriptor) { ::shutdown(descriptor, SHUT_RDWR); }

asio::awaitable<void> lease_ends(net::Stream& channel) {
  const auto ended = co_await channel.wait(net::IoStatus::want_read);
  static_cast<void>(ended);
}

LeaseWatch::LeaseWatch(net::Stream& channel, std::function<void()> ended)
    : ended_(std::make_shared<std::function<void()>>(std::move(ended))) {
  channel.socket().async_wait(net::Stream::Socket::wait_read, [call = ended_](const asio::error_code& code) {
    if (code != asio::error::operation_aborted && *call) (*call)();
  });
}

}  // namespace usbloop::bridge
