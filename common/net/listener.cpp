#include "common/net/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace usbloop::net {
namespace {

using asio::ip::tcp;
using unix_stream = asio::local::stream_protocol;
using Endpoint = asio::generic::stream_protocol::endpoint;

/// Removes the name of a socket that nobody listens on; anything else stays, and bind() then refuses it.
void remove_stale(const std::string& path, const asio::any_io_executor& executor) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  unix_stream::socket probe(executor);
  asio::error_code code;
  probe.connect(unix_stream::endpoint(path), code);
  if (code == asio::error::connection_refused) ::unlink(path.c_str());
}

asio::awaitable<Result<Endpoint>> endpoint_of(const Address& address) {
  const auto executor = co_await asio::this_coro::executor;
  if (address.is_unix()) {
    if (address.path.size() >= sizeof(sockaddr_un::sun_path)) {
      co_return make_error(ErrorKind::invalid, "listen on", address.text(),
                           "a socket's name has at most 107 characters");
    }
    remove_stale(address.path, executor);
    co_return Endpoint(unix_stream::endpoint(address.path));
  }
  asio::error_code code;
  tcp::resolver resolver(executor);
  const auto found = co_await resolver.async_resolve(address.host, std::to_string(address.port), tcp::resolver::passive,
                                                     asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return make_error(ErrorKind::unavailable, "look up", address.host, code.message());
  co_return Endpoint(found.begin()->endpoint());
}

std::uint16_t port_of(const Endpoint& endpoint) {
  tcp::endpoint place;
  std::memcpy(place.data(), endpoint.data(), std::min(endpoint.size(), place.capacity()));
  return place.port();
}

}  // namespace

asio::awaitable<Result<std::unique_ptr<Listener>>> Listener::open(Address address, For whom) {
  const auto executor = co_await asio::this_coro::executor;
  const auto endpoint = co_await endpoint_of(address);
  if (!endpoint) co_return tl::unexpected(endpoint.error());
  Acceptor acceptor(executor);
  asio::error_code code;
  asio::error_code ignored;
  acceptor.open(endpoint->protocol(), code);
  acceptor.set_option(asio::socket_base::reuse_address(true), ignored);
  if (!code) acceptor.bind(*endpoint, code);
  const bool is_bound = !code;
  // Nobody can connect before listen(), so nobody gets in before the mode is set.
  if (is_bound && address.is_unix() && whom == For::us && ::chmod(address.path.c_str(), 0600) != 0) {
    code.assign(errno, asio::error::get_system_category());
  }
  if (!code) acceptor.listen(1, code);
  if (code) {
    if (is_bound && address.is_unix()) ::unlink(address.path.c_str());
    co_return make_errno_error("listen on", address.text(), code.value());
  }
  if (!address.is_unix()) address.port = port_of(acceptor.local_endpoint(ignored));
  co_return std::unique_ptr<Listener>(new Listener(std::move(acceptor), std::move(address)));
}

Listener::~Listener() { close(); }

asio::awaitable<Result<StreamPtr>> Listener::accept() {
  if (!acceptor_.is_open()) co_return make_error(ErrorKind::cancelled, "listen on", address_.text(), "closed");
  asio::error_code code;
  Stream::Socket socket(acceptor_.get_executor());
  co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
  close();
  if (code == asio::error::operation_aborted) {
    co_return make_error(ErrorKind::cancelled, "listen on", address_.text(), "closed");
  }
  if (code) co_return make_errno_error("listen on", address_.text(), code.value());
  co_return make_plain_stream(std::move(socket));
}

void Listener::close() {
  if (!acceptor_.is_open()) return;
  asio::error_code ignored;
  acceptor_.close(ignored);
  if (address_.is_unix()) ::unlink(address_.path.c_str());
}

}  // namespace usbloop::net
