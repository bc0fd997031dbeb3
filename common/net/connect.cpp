#include <sys/socket.h>

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "common/net/deadline.h"
#include "common/net/stream.h"
#include "common/unix_socket.h"

namespace usbloop::net {

using asio::ip::tcp;

void enable_keepalive(Stream::Socket& socket) {
  asio::error_code ignored;  // a missing option only delays the notice
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
#ifdef __linux__
  using asio::detail::socket_option::integer;
  socket.set_option(integer<IPPROTO_TCP, TCP_KEEPIDLE>(15), ignored);
  socket.set_option(integer<IPPROTO_TCP, TCP_KEEPINTVL>(5), ignored);
  socket.set_option(integer<IPPROTO_TCP, TCP_KEEPCNT>(3), ignored);
#endif
}

Result<StreamPtr> connect_unix(const asio::any_io_executor& executor, const std::string& path) {
  // Asio's connect is not used here: it would wait for a peer whose backlog is full, and block the whole loop.
  auto connected = connect_unix_socket(path, SOCK_NONBLOCK);
  if (!connected) return tl::unexpected(connected.error());
  asio::local::stream_protocol::socket socket(executor);
  asio::error_code code;
  socket.assign(asio::local::stream_protocol(), connected->get(), code);
  if (code) return make_errno_error("use", path, code.value());
  static_cast<void>(connected->release());
  // The descriptor does not block already, but Asio has to know.
  socket.native_non_blocking(true, code);
  return make_plain_stream(Stream::Socket(std::move(socket)));
}

asio::awaitable<Result<StreamPtr>> connect_tcp(std::string host, std::uint16_t port,
                                               std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  const std::string object = host + " port " + std::to_string(port);
  const auto until = std::chrono::steady_clock::now() + timeout;
  asio::error_code code;

  tcp::resolver resolver(executor);
  tcp::resolver::results_type addresses;
  {
    const Deadline deadline(executor, timeout, [&resolver] { resolver.cancel(); });
    addresses =
        co_await resolver.async_resolve(host, std::to_string(port), asio::redirect_error(asio::use_awaitable, code));
    if (deadline.expired()) co_return make_error(ErrorKind::timeout, "look up", host, "no answer in time");
  }
  if (code) co_return make_error(ErrorKind::unavailable, "look up", host, code.message());

  auto untried = static_cast<std::int64_t>(addresses.size());
  for (const auto& address : addresses) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;  // `code` says how the last one failed
    tcp::socket socket(executor);
    // One that does not answer leaves the others their share.
    const Deadline deadline(executor, left / untried--, [&socket] {
      asio::error_code ignored;
      socket.close(ignored);
    });
    co_await socket.async_connect(address.endpoint(), asio::redirect_error(asio::use_awaitable, code));
    if (deadline.expired()) code = asio::error::timed_out;
    if (code) continue;
    // A socket that Asio has connected stays registered for writing, so each wait for reading would return at once. It
    // is therefore registered anew.
    const auto protocol = address.endpoint().protocol();
    tcp::socket fresh(executor);
    fresh.assign(protocol, socket.release(code), code);
    if (code) continue;
    Stream::Socket connected(std::move(fresh));
    enable_keepalive(connected);
    co_return make_plain_stream(std::move(connected));
  }
  co_return make_errno_error("connect to", object, code.value());
}

}  // namespace usbloop::net
