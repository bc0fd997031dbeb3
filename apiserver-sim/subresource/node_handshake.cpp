#include "apiserver-sim/subresource/node_handshake.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "bridge/handoff.h"
#include "common/net/deadline.h"
#include "common/net/descriptor_passing.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kMaxBodyBytes = 1024;

/// The node's stream, with what comes beside its bytes where descriptors may come.
struct Answering {
  net::Stream& node;
  bool takes_descriptors;
  net::PassedDescriptors passed = {};
  std::string text = {};
};

/// Appends what comes next; false at the end of the stream and on errors.
asio::awaitable<bool> read_more(Answering& answering) {
  std::array<std::byte, 4096> buffer{};
  while (true) {
    const net::IoResult got = answering.takes_descriptors
                                  ? net::try_read_with_descriptors(answering.node, buffer, answering.passed)
                                  : answering.node.try_read(buffer);
    if (got.status == net::IoStatus::ok) {
      answering.text.append(reinterpret_cast<const char*>(buffer.data()), got.bytes);
      co_return true;
    }
    if (got.status == net::IoStatus::end || got.status == net::IoStatus::failed) co_return false;
    const auto ready = co_await answering.node.wait(got.status);
    if (!ready) co_return false;
  }
}

/// The socket that a 101 hands over, or none when it does not.
Result<Fd> handed_over(const websocket::Head& head, const std::string& rest, net::PassedDescriptors& passed) {
  if (!head.has_header(bridge::kHandoffHeader)) return Fd();
  const bool good = head.header(bridge::kHandoffHeader) == bridge::kHandoffSocket && passed.first && !passed.surplus;
  if (!good || !rest.empty()) return make_error(ErrorKind::protocol, "dial", "the node", "malformed handoff");
  return std::move(passed.first);
}

std::size_t body_size(const websocket::Head& head) {
  if (!head.has_header("Content-Length")) return kMaxBodyBytes;  // until the node closes
  const std::string text = head.header("Content-Length");
  std::size_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return std::min(size, kMaxBodyBytes);
}

}  // namespace

asio::awaitable<Result<NodeAnswer>> shake_hands_with_node(net::Stream& node, std::string path, std::string key,
                                                          Handoff handoff, std::chrono::milliseconds timeout) {
  const net::Deadline deadline(node.socket().get_executor(), timeout, [&node] { node.close(); });
  const auto failure = [&] {
    if (deadline.expired()) return make_error(ErrorKind::timeout, "dial", "the node", "i/o timeout");
    return make_error(ErrorKind::unavailable, "dial", "the node", "unexpected EOF");
  };
  Answering answering{node, handoff == Handoff::offer && net::passes_descriptors(node)};
  std::string& text = answering.text;
  std::string request = websocket::upgrade_request(path, "localhost", key, "", "Go-http-client/1.1");
  if (answering.takes_descriptors) request = bridge::with_handoff(std::move(request));
  const auto sent = co_await node.write_all(std::as_bytes(std::span(request)));
  if (!sent) co_return failure();
  std::optional<std::size_t> length;
  while (!(length = websocket::head_length(text))) {
    if (text.size() > websocket::kMaxHeadBytes) {
      co_return make_error(ErrorKind::protocol, "dial", "the node", "malformed HTTP response");
    }
    const bool more = co_await read_more(answering);
    if (!more) co_return failure();
  }
  auto head = websocket::parse_response_head(std::string_view(text).substr(0, *length));
  if (!head) co_return make_error(ErrorKind::protocol, "dial", "the node", "malformed HTTP response");
  text.erase(0, *length);
  NodeAnswer answer{std::move(*head), {}, {}};
  if (answer.head.status == 101) {
    auto device = handed_over(answer.head, text, answering.passed);
    if (!device) co_return tl::unexpected(device.error());
    answer.device = std::move(*device);
  } else {
    const std::size_t size = body_size(answer.head);
    bool more = true;
    while (more && text.size() < size) more = co_await read_more(answering);
    text.resize(std::min(text.size(), size));
  }
  answer.rest = std::move(text);
  co_return answer;
}

}  // namespace usbloop::apiserver
