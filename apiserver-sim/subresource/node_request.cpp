#include "apiserver-sim/subresource/node_request.h"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <span>

#include "apiserver-sim/subresource/refusals.h"
#include "common/http/answer.h"
#include "common/net/deadline.h"
#include "common/net/stream.h"

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

/// The words of Go's client for an answer that did not come, or not whole.
tl::unexpected<Error> unread(const Error& error) {
  const bool malformed = error.kind == ErrorKind::protocol;
  return failed(malformed ? error.kind : ErrorKind::unavailable, malformed ? "malformed HTTP response" : "EOF");
}

asio::awaitable<Result<NodeReply>> exchange(net::Stream& node, const NodeRequest& request) {
  const std::string sent_text = text_of(request);
  const auto sent = co_await node.write_all(std::as_bytes(std::span(sent_text)));
  if (!sent) co_return failed(ErrorKind::unavailable, "EOF");
  const http::ReadMore read_more = http::reader_of(node);
  auto answer = co_await http::read_answer(read_more);
  if (!answer) co_return unread(answer.error());
  const std::size_t most = max_reply_bytes(request.method == "GET");
  auto body = co_await http::read_body(read_more, answer->head, std::move(answer->rest), most);
  if (!body) co_return unread(body.error());
  if (body->end == http::Body::End::too_long) co_return failed(ErrorKind::protocol, "the answer is too long");
  if (body->end == http::Body::End::lost) co_return failed(ErrorKind::unavailable, "unexpected EOF");
  NodeReply reply;
  reply.status = answer->head.status;
  reply.status_text = std::move(answer->head.status_text);
  reply.body = std::move(body->text);
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
