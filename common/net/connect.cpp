#include <fcntl.h>

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <filesystem>

#include "common/fd.h"
#include "common/net/deadline.h"
#include "common/net/stream.h"

namespace usbloop::net {
namespace {

using asio::ip::tcp;

/// A name for `path` that fits sockaddr_un (108 bytes on Linux): through /proc when the path itself is too long.
/// `directory` keeps the name alive.
Result<std::string> short_name(const std::string& path, Fd& directory) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) return path;
  const std::filesystem::path full(path);
  directory.reset(::open(full.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return make_errno_error("open", full.parent_path().string());
  return "/proc/self/fd/" + std::to_string(directory.get()) + "/" + full.filename().string();
}

}  // namespace

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
  Fd directory;
  auto name = short_name(path, directory);
  if (!name) return tl::unexpected(name.error());
  if (name->size() >= sizeof(sockaddr_un::sun_path)) {
    return make_error(ErrorKind::invalid, "connect to", path, "the socket's name is too long");
  }
  asio::local::stream_protocol::socket socket(executor);
  asio::error_code code;
  socket.open(asio::local::stream_protocol(), code);
  if (!code) socket.native_non_blocking(true, code);
  if (code) return make_errno_error("make", "a unix socket", code.value());
  // Asio's connect is not used here: it would wait for a peer whose backlog is full, and block the whole loop.
  const asio::local::stream_protocol::endpoint endpoint(*name);
  if (::connect(socket.native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
    // EAGAIN: the peer's backlog is full, so a later try may go through.
    if (errno == EAGAIN) return make_error(ErrorKind::conflict, "connect to", path, "its backlog is full");
    return make_errno_error("connect to", path);
  }
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
