#include <cstdlib>
#include <map>

#include "common/ascii_text.h"
#include "common/websocket/handshake.h"
#include "kube-sim/fuzz/second_reader.h"
#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/http/cors.h"
#include "kube-sim/http/request_body.h"
#include "kube-sim/http/request_head.h"
#include "kube-sim/http/watch_websocket.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/security/subprotocol_token.h"

namespace usbloop::apiserver::fuzz {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// The values of all fields by their names in lower case; those of one name are one list (RFC 9110 section 5.2).
std::map<std::string, std::string> values_of(const http::Head& head) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : head.headers) {
    std::string& all = values[lower_case(name)];
    all += (all.empty() ? "" : ", ") + value;
  }
  return values;
}

/// What the front door takes, websocketpp's parser takes too, and reads the same method, target, framing and values in
/// it: somebody with another reader, in front of the server or behind it, sees the request that the server sees.
void compare_with_second_reader(const std::string& text, const RequestHead& read) {
  if (text.size() > http::kMaxHeadBytes) return;  // more than the second one takes, and refused before
  const auto second = second_reading(text);
  if (!second) return require(read.fields.header("Host").empty());  // which it wants in HTTP/1.0 too, and not empty
  require(second->method == read.fields.method);
  if (second->target.starts_with('/')) require(second->target == read.fields.target);
  require(second->target.ends_with(read.fields.target == "/" ? "" : read.fields.target.substr(1)));
  require(values_of(*second) == values_of(read.fields));
  const std::string length = second->header("Content-Length");
  require(std::strtoull(length.c_str(), nullptr, 10) == read.body.length);
  require(equal_ignoring_case(second->header("Transfer-Encoding"), "chunked") == read.body.chunked);
  require(!read.body.chunked || length.empty());
}

/// What a watch takes from a client that has opened a websocket, and what a page's origin makes of the answer.
void watch_as_websocket(const http::Head& head, std::string rest) {
  static const Cors kCors = Cors::make({"^https?://[^/]*$", "//a(:|$)"}).value();
  for (const auto& [name, value] : kCors.headers_for(head)) require(value.find_first_of("\r\n") == value.npos);
  if (!asks_for_websocket(head) || refuse_watch_handshake(head)) return;
  const auto framing = websocket_framing(head);
  const std::string answer = framing->head();
  require(answer.starts_with("HTTP/1.1 101 ") && answer.find("\r\n\r\n") == answer.size() - 4);
  const auto heard = framing->receive(std::as_writable_bytes(std::span(rest)));
  const std::string pong = framing->take_answer();
  require(pong.size() <= 127 && (heard != WatchFraming::Heard::question || !pong.empty()));
  require((heard == WatchFraming::Heard::end) == framing->events("{}\n").empty());
}

void check_refusal(int code) {
  require(code == 400 || code == 413 || code == 415 || code == 417 || code == 501 || code == 505);
}

}  // namespace

// What the front door does with the first bytes of a request, and with a body that stands behind them, up to the
// handler.
void request_head(std::span<const std::byte> input) {
  const std::string text = text_of(input);
  const auto length = http::head_length(text);
  if (!length) return;
  require(*length <= text.size());
  const std::string head_text = text.substr(0, *length);
  auto read = read_request_head(head_text);
  if (!read) return check_refusal(read.error().code);
  compare_with_second_reader(head_text, *read);
  http::Head& head = read->fields;
  const SubprotocolToken token = take_subprotocol_token(head);
  require(!token.valid || !token.token.empty());
  require(!head.header("Sec-WebSocket-Protocol").starts_with("base64url.bearer.authorization.k8s.io."));
  (void)websocket::upgrade_refusal(head);
  (void)websocket::upgrade_response(head);
  std::string rest = text.substr(*length);
  watch_as_websocket(head, rest);
  RequestBody body(read->body);
  require(body.take(rest) != RequestBody::State::complete || body.release().size() <= kMaxBodyBytes);
  const Request& request = read->request;
  require(!request.path.empty() && request.path[0] == '/' && request.path.find('\0') == std::string::npos);
  require((request.path + "/").find("/../") == std::string::npos);
  const RequestInfo info = read_request_info(request);
  require(!info.is_resource || !info.resource.empty());
}

}  // namespace usbloop::apiserver::fuzz
