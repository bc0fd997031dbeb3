#include "device-sim/serial/far_connection.h"

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include "common/net/address.h"
#include "common/unix_socket.h"

namespace usbloop::device_sim {
namespace {

constexpr auto kConnectLine = "connect the serial line to";

Result<Fd> connect_unix_line(const net::Address& address) {
  auto socket = connect_unix_socket(address.path);
  if (!socket) socket.error().operation = kConnectLine;
  return socket;
}

Result<Fd> connect_tcp_line(const net::Address& address) {
  asio::io_context loop;
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
  return address->is_unix() ? connect_unix_line(*address) : connect_tcp_line(*address);
}

}  // namespace usbloop::device_sim
