#include "apiserver-sim/subresource/node_handshake.h"

#include <array>

#include "bridge/handoff.h"
#include "common/http/answer.h"
#include "common/net/deadline.h"
#include "common/net/descriptor_passing.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kMaxBodyBytes = 1024;

/// The node's stream, with what comes beside its bytes where descriptors may come.
struct Answering {
  net::Stream& node;
  bool takes_descriptors;
  net::PassedDescriptors passed = {};
};

/// Appends what comes next; the number of bytes, 0 at the end of the stream.
asio::awaitable<Result<std::size_t>> read_more(Answering& answering, std::string& text) {
  std::array<std::byte, 4096> buffer{};
  while (true) {
    const net::IoResult got = answering.takes_descriptors
                                  ? net::try_read_with_descriptors(answering.node, buffer, answering.passed)
                                  : answering.node.try_read(buffer);
    if (got.status == net::IoStatus::ok) {
      text.append(reinterpret_cast<const char*>(buffer.data()), got.bytes);
      co_return got.bytes;
    }
    if (got.status == net::IoStatus::end) co_return std::size_t{0};
    if (got.status == net::IoStatus::failed) co_return make_errno_error("read from", "the node", got.error_number);
    const auto ready = co_await answering.node.wait(got.status);
    if (!ready) co_return tl::unexpected(ready.error());
  }
}

/// The socket that a 101 hands over, or none when it does not.
Result<Fd> handed_over(const http::Head& head, const std::string& rest, net::PassedDescriptors& passed) {
  if (!head.has_header(bridge::kHandoffHeader)) return Fd();
  const bool good = head.header(bridge::kHandoffHeader) == bridge::kHandoffSocket && passed.first && !passed.surplus;
  if (!good || !rest.empty()) return make_error(ErrorKind::protocol, "dial", "the node", "malformed handoff");
  return std::move(passed.first);
}

/// Reads the node's answer to the end, or to the stream's beginning.
asio::awaitable<Result<NodeAnswer>> read_node_answer(Answering& answering) {
  const http::ReadMore more = [&answering](std::string& text) { return read_more(answering, text); };
  auto answer = co_await http::read_answer(more);
  if (!answer) co_return tl::unexpected(std::move(answer.error()));
  NodeAnswer result;
  result.head = std::move(answer->head);
  if (result.head.status == 101) {
    auto device = handed_over(result.head, answer->rest, answering.passed);
    if (!device) co_return tl::unexpected(std::move(device.error()));
    result.device = std::move(*device);
    result.rest = std::move(answer->rest);
    co_return result;
  }
  // A text that is cut is still worth showing.
  auto body = co_await http::read_body(more, result.head, std::move(answer->rest), kMaxBodyBytes);
  if (!body) co_return tl::unexpected(std::move(body.error()));
  result.rest = std::move(body->text);
  co_return result;
}

}  // namespace

asio::awaitable<Result<NodeAnswer>> shake_hands_with_node(net::Stream& node, std::string path, std::string key,
                                                          Handoff handoff, std::chrono::milliseconds timeout) {
  const net::Deadline deadline(node.socket().get_executor(), timeout, [&node] { node.close(); });
  Answering answering{node, handoff == Handoff::offer && net::passes_descriptors(node)};
  std::string request = websocket::upgrade_request(path, "localhost", key, "", "Go-http-client/1.1");
  if (answering.takes_descriptors) request = bridge::with_handoff(std::move(request));
  const auto sent = co_await node.write_all(std::as_bytes(std::span(request)));
  Result<NodeAnswer> answer = make_error(ErrorKind::unavailable, "dial", "the node", "unexpected EOF");
  if (sent) answer = co_await read_node_answer(answering);
  if (answer) co_return answer;
  if (deadline.expired()) co_return make_error(ErrorKind::timeout, "dial", "the node", "i/o timeout");
  if (answer.error().kind != ErrorKind::protocol) {
    co_return make_error(ErrorKind::unavailable, "dial", "the node", "unexpected EOF");
  }
  const std::string cause = answer.error().operation == "dial" ? answer.error().cause : "malformed HTTP response";
  co_return make_error(ErrorKind::protocol, "dial", "the node", cause);
}

}  // namespace usbloop::apiserver
