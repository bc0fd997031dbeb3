#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>

#include "common/net/stream.h"

namespace usbloop::net {
namespace {

IoResult io_failure(const asio::error_code& code, IoStatus would_block) {
  if (code == asio::error::would_block || code == asio::error::try_again) return {would_block, 0, 0};
  if (code == asio::error::eof) return {IoStatus::end, 0, 0};
  return {IoStatus::failed, 0, code.value()};
}

class PlainStream final : public Stream {
 public:
  explicit PlainStream(Socket socket) : socket_(std::move(socket)) {}

  IoResult try_read(std::span<std::byte> buffer) override {
    if (std::exchange(drained_, false)) return {IoStatus::want_read, 0, 0};
    asio::error_code code;
    const std::size_t bytes = socket_.receive(asio::buffer(buffer.data(), buffer.size()), 0, code);
    if (code) return io_failure(code, IoStatus::want_read);
    drained_ = bytes < buffer.size();
    return {IoStatus::ok, bytes, 0};
  }

  IoResult try_write(std::span<const std::byte> bytes) override {
    asio::error_code code;
    const std::size_t sent = socket_.send(asio::buffer(bytes.data(), bytes.size()), 0, code);
    if (code) return io_failure(code, IoStatus::want_write);
    return {IoStatus::ok, sent, 0};
  }

  void shutdown_write() override {
    asio::error_code ignored;  // the peer may be gone already, which the reading side will see
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  Socket& socket() override { return socket_; }

 private:
  Socket socket_;
  bool drained_ = false;  ///< the last read has left nothing: the next one need not ask the kernel
};

}  // namespace

StreamPtr make_plain_stream(Stream::Socket socket) {
  asio::error_code ignored;  // a socket that is broken already fails at its first read
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);  // refused by unix sockets, which have no delay
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace usbloop::net
