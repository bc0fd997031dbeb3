#include "apiserver-sim/subresource/node_request.h"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <charconv>
#include <exception>
#include <optional>
#include <span>

#include "apiserver-sim/subresource/refusals.h"
#include "common/net/deadline.h"
#include "common/net/stream.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver {
namespace {

tl::unexpected<Error> failed(ErrorKind kind, const std::string& cause) {
  return make_error(kind, "ask", "the node", cause);
}

std::string text_of(const NodeRequest& request) {
  return request.method + " " + request.path +
         " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: " +
         std::to_string(request.body.size()) + "\r\nConnection: close\r\n\r\n" + request.body;
}

/// The announced length of the body; nothing: it goes to the end of the stream.
std::optional<std::size_t> body_length(const websocket::Head& head) {
  if (!head.has_header("Content-Length")) return std::nullopt;
  const std::string text = head.header("Content-Length");
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return kMaxNodeReplyBytes + 1;
  return length;
}

/// Appends what comes next; the number of bytes, 0 at the end.
asio::awaitable<Result<std::size_t>> read_more(net::Stream& node, std::string& text) {
  std::array<std::byte, 16384> buffer{};
  const auto count = co_await node.read_some(buffer);
  if (count) text.append(reinterpret_cast<const char*>(buffer.data()), *count);
  co_return count;
}

asio::awaitable<Result<NodeReply>> exchange(net::Stream& node, const NodeRequest& request) {
  const std::string sent_text = text_of(request);
  const auto sent = co_await node.write_all(std::as_bytes(std::span(sent_text)));
  if (!sent) co_return failed(ErrorKind::unavailable, "EOF");
  std::string text;
  std::optional<std::size_t> head_end;
  while (!(head_end = websocket::head_length(text))) {
    if (text.size() > websocket::kMaxHeadBytes) co_return failed(ErrorKind::protocol, "malformed HTTP response");
    const auto more = co_await read_more(node, text);
    if (!more || *more == 0) co_return failed(ErrorKind::unavailable, "EOF");
  }
  const auto head = websocket::parse_response_head(std::string_view(text).substr(0, *head_end));
  if (!head) co_return failed(ErrorKind::protocol, "malformed HTTP response");
  NodeReply reply{head->status, head->status_text, text.substr(*head_end)};
  const auto length = body_length(*head);
  while (!length || reply.body.size() < *length) {
    if (std::max(length.value_or(0), reply.body.size()) > kMaxNodeReplyBytes) {
      co_return failed(ErrorKind::protocol, "the answer is too long");
    }
    const auto more = co_await read_more(node, reply.body);
    if (!length && more && *more == 0) break;
    if (!more || *more == 0) co_return failed(ErrorKind::unavailable, "unexpected EOF");
  }
  if (length) reply.body.resize(*length);
  co_return reply;
}

}  // namespace

Result<NodeReply> ask_node(const NodeChannel& channel, const NodeRequest& request, std::chrono::milliseconds timeout) {
  asio::io_context loop(1);
  auto node = net::connect_unix(loop.get_executor(), channel.socket_path);
  if (!node) return failed(node.error().kind, dial_text(channel.socket_path, node.error()));
  Result<NodeReply> reply = failed(ErrorKind::internal, "no answer");
  asio::co_spawn(loop, exchange(**node, request), [&](const std::exception_ptr& failure, Result<NodeReply> result) {
    if (!failure) reply = std::move(result);
    loop.stop();  // the deadline's timer is not waited for
  });
  const net::Deadline deadline(loop.get_executor(), timeout, [&node] { (*node)->close(); });
  loop.run();
  if (!reply && deadline.expired()) {
    return failed(ErrorKind::timeout, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
  }
  return reply;
}

}  // namespace usbloop::apiserver
