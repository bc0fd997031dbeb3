#include "device-sim/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace usbloop::device_sim {
namespace {

using asio::ip::tcp;
using unix_stream = asio::local::stream_protocol;

auto failed(const Address& address, const asio::error_code& code) {
  return make_errno_error("listen on", address.text(), code.value());
}

template <typename Acceptor, typename Endpoint>
asio::error_code open(Acceptor& acceptor, const Endpoint& endpoint) {
  asio::error_code code;
  acceptor.open(endpoint.protocol(), code);
  asio::error_code ignored;
  acceptor.set_option(asio::socket_base::reuse_address(true), ignored);
  if (!code) acceptor.bind(endpoint, code);
  if (!code) acceptor.listen(1, code);
  return code;
}

/// Removes the name of a socket that nobody listens on; anything else stays, and bind() then refuses it.
void remove_stale(const std::string& path, const asio::any_io_executor& executor) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  unix_stream::socket probe(executor);
  asio::error_code code;
  probe.connect(unix_stream::endpoint(path), code);
  if (code == asio::error::connection_refused) ::unlink(path.c_str());
}

/// Removes a name at the end, however it comes.
class Name {
 public:
  explicit Name(std::string path) : path_(std::move(path)) {}
  ~Name() { ::unlink(path_.c_str()); }
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;

 private:
  std::string path_;
};

asio::awaitable<Result<net::StreamPtr>> accept_unix(Address address, std::function<void(const std::string&)> say) {
  const auto executor = co_await asio::this_coro::executor;
  if (address.path.size() >= sizeof(sockaddr_un::sun_path)) {
    co_return make_error(ErrorKind::invalid, "listen on", address.text(), "a socket's name has at most 107 characters");
  }
  remove_stale(address.path, executor);
  unix_stream::acceptor acceptor(executor);
  if (const auto code = open(acceptor, unix_stream::endpoint(address.path))) co_return failed(address, code);
  const Name name(address.path);
  say("Listening on " + address.text());
  asio::error_code code;
  unix_stream::socket socket(executor);
  co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return failed(address, code);
  co_return net::make_plain_stream(net::Stream::Socket(std::move(socket)));
}

asio::awaitable<Result<net::StreamPtr>> accept_tcp(Address address, bool keepalive,
                                                   std::function<void(const std::string&)> say) {
  const auto executor = co_await asio::this_coro::executor;
  asio::error_code code;
  tcp::resolver resolver(executor);
  const auto found = co_await resolver.async_resolve(address.host, std::to_string(address.port), tcp::resolver::passive,
                                                     asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return make_error(ErrorKind::unavailable, "look up", address.host, code.message());
  tcp::acceptor acceptor(executor);
  code = open(acceptor, found.begin()->endpoint());
  if (code) co_return failed(address, code);
  address.port = acceptor.local_endpoint(code).port();
  say("Listening on " + address.text());
  tcp::socket socket(executor);
  co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return failed(address, code);
  asio::error_code ignored;
  if (keepalive) socket.set_option(asio::socket_base::keep_alive(true), ignored);
  co_return net::make_plain_stream(net::Stream::Socket(std::move(socket)));
}

}  // namespace

asio::awaitable<Result<net::StreamPtr>> accept_one(Address address, bool keepalive,
                                                   std::function<void(const std::string&)> say) {
  if (address.is_unix()) co_return co_await accept_unix(std::move(address), std::move(say));
  co_return co_await accept_tcp(std::move(address), keepalive, std::move(say));
}

}  // namespace usbloop::device_sim
