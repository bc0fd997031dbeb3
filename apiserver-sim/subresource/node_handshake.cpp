#include "apiserver-sim/subresource/node_handshake.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/net/deadline.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kMaxBodyBytes = 1024;

/// Appends what comes next; false at the end of the stream and on errors.
asio::awaitable<bool> read_more(net::Stream& node, std::string& text) {
  std::array<std::byte, 4096> buffer{};
  const auto count = co_await node.read_some(buffer);
  if (!count || *count == 0) co_return false;
  text.append(reinterpret_cast<const char*>(buffer.data()), *count);
  co_return true;
}

std::size_t body_size(const websocket::Head& head) {
  if (!head.has_header("Content-Length")) return kMaxBodyBytes;  // until the node closes
  const std::string text = head.header("Content-Length");
  std::size_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return std::min(size, kMaxBodyBytes);
}

}  // namespace

asio::awaitable<Result<NodeAnswer>> shake_hands_with_node(net::Stream& node, const std::string& path,
                                                          const std::string& key, std::chrono::milliseconds timeout) {
  const net::Deadline deadline(node.socket().get_executor(), timeout, [&node] { node.close(); });
  const auto failure = [&] {
    if (deadline.expired()) return make_error(ErrorKind::timeout, "dial", "the node", "i/o timeout");
    return make_error(ErrorKind::unavailable, "dial", "the node", "unexpected EOF");
  };
  const std::string request = websocket::upgrade_request(path, "localhost", key, "", "Go-http-client/1.1");
  const auto sent = co_await node.write_all(std::as_bytes(std::span(request)));
  if (!sent) co_return failure();
  std::string text;
  std::optional<std::size_t> length;
  while (!(length = websocket::head_length(text))) {
    if (text.size() > websocket::kMaxHeadBytes) {
      co_return make_error(ErrorKind::protocol, "dial", "the node", "malformed HTTP response");
    }
    const bool more = co_await read_more(node, text);
    if (!more) co_return failure();
  }
  auto head = websocket::parse_response_head(std::string_view(text).substr(0, *length));
  if (!head) co_return make_error(ErrorKind::protocol, "dial", "the node", "malformed HTTP response");
  NodeAnswer answer{std::move(*head), text.substr(*length)};
  if (answer.head.status != 101) {
    const std::size_t size = body_size(answer.head);
    bool more = true;
    while (more && answer.rest.size() < size) more = co_await read_more(node, answer.rest);
    answer.rest.resize(std::min(answer.rest.size(), size));
  }
  co_return answer;
}

}  // namespace usbloop::apiserver
