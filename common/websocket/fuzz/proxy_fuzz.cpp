#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "common/net/stream.h"
#include "common/websocket/fuzz/targets.h"
#include "common/websocket/proxy_tunnel.h"

namespace usbloop::websocket::fuzz {

namespace {

/// A proxy that has said all it will say, and hears everything.
class SaidByProxy final : public net::Stream {
 public:
  /// `most`: bytes of one read.
  SaidByProxy(asio::io_context& loop, std::span<const std::byte> text, std::size_t most)
      : socket_(loop), text_(text), most_(most) {}

  net::IoResult try_read(std::span<std::byte> buffer) override {
    if (text_.empty()) return {net::IoStatus::end, 0, 0};
    const std::size_t count = std::min({buffer.size(), text_.size(), most_});
    std::copy_n(text_.begin(), count, buffer.begin());
    text_ = text_.subspan(count);
    return {net::IoStatus::ok, count, 0};
  }
  net::IoResult try_write(std::span<const std::byte> bytes) override { return {net::IoStatus::ok, bytes.size(), 0}; }
  void shutdown_write() override {}
  Socket& socket() override { return socket_; }

  [[nodiscard]] std::size_t left() const { return text_.size(); }

 private:
  Socket socket_;
  std::span<const std::byte> text_;
  std::size_t most_;
};

}  // namespace

// The first byte chooses the proxy and how its answer comes in pieces; the rest is what it says. Behind the answer to a
// tunnel that is open, not one byte has been taken: they are the server's.
void proxy(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto choice = std::to_integer<unsigned>(input.front());
  const auto text = input.subspan(1);
  kube::Proxy proxy;
  proxy.kind = (choice & 1U) != 0 ? kube::Proxy::Kind::socks5 : kube::Proxy::Kind::http;
  proxy.host = "p";
  proxy.port = 1;
  if ((choice & 2U) != 0) proxy.username = "me";
  asio::io_context loop;
  SaidByProxy stream(loop, text, (choice & 4U) != 0 ? 1 : 4096);
  std::optional<Result<>> opened;
  asio::co_spawn(loop, open_tunnel(stream, proxy, "h", 6443), [&](std::exception_ptr error, Result<> result) {
    if (error) std::abort();
    opened = std::move(result);
  });
  loop.run();
  if (!opened) std::abort();
  if (!*opened) return;
  const std::string taken(reinterpret_cast<const char*>(text.data()), text.size() - stream.left());
  const bool is_http = proxy.kind == kube::Proxy::Kind::http;
  if (is_http && !taken.ends_with("\n\r\n") && !taken.ends_with("\n\n")) std::abort();
  if (!is_http && (taken.size() < 2 + 7 || taken.size() > 2 + 2 + 5 + 257)) std::abort();
}

}  // namespace usbloop::websocket::fuzz
