#include "device-sim/far_connection.h"

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>

#include "common/net/address.h"

namespace usbloop::device_sim {
namespace {

constexpr auto kConnectLine = "connect the serial line to";

Result<Fd> connect_unix_line(asio::io_context& loop, const net::Address& address) {
  asio::local::stream_protocol::socket socket(loop);
  asio::error_code code;
  if (address.path.size() >= sizeof(sockaddr_un::sun_path))
    return make_error(ErrorKind::invalid, kConnectLine, address.text(), "a socket's name has at most 107 characters");
  socket.connect(asio::local::stream_protocol::endpoint(address.path), code);
  if (code) return make_errno_error(kConnectLine, address.text(), code.value());
  return Fd(socket.release(code));
}

Result<Fd> connect_tcp_line(asio::io_context& loop, const net::Address& address) {
  asio::error_code code;
  asio::ip::tcp::resolver resolver(loop);
  const auto found = resolver.resolve(address.host, std::to_string(address.port), code);
  if (code) return make_error(ErrorKind::not_found, kConnectLine, address.text(), code.message());
  asio::ip::tcp::socket socket(loop);
  asio::connect(socket, found, code);
  if (code) return make_errno_error(kConnectLine, address.text(), code.value());
  socket.set_option(asio::ip::tcp::no_delay(true), code);
  return Fd(socket.release(code));
}

}  // namespace

Result<Fd> connect_far_end(const std::string& target) {
  const auto address = net::parse_address(target);
  if (!address) return tl::unexpected(address.error());
  asio::io_context loop;
  return address->is_unix() ? connect_unix_line(loop, *address) : connect_tcp_line(loop, *address);
}

}  // namespace usbloop::device_sim
