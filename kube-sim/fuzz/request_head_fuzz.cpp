#include <cstdlib>

#include "common/websocket/handshake.h"
#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/http/request_body.h"
#include "kube-sim/http/request_head.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/security/subprotocol_token.h"

namespace usbloop::apiserver::fuzz {

// What the front door does with the first bytes of a request, and with a body that stands behind them, up to the
// handler.
void request_head(std::span<const std::byte> input) {
  const std::string text = text_of(input);
  const auto length = websocket::head_length(text);
  if (!length) return;
  if (*length > text.size()) std::abort();
  const std::string head_text = text.substr(0, *length);
  auto read = read_request_head(head_text);
  if (!read) {
    const int code = read.error().code;
    if (code != 400 && code != 413 && code != 417) std::abort();
    return;
  }
  websocket::Head& head = read->fields;
  const SubprotocolToken token = take_subprotocol_token(head);
  if (token.valid && token.token.empty()) std::abort();
  if (head.header("Sec-WebSocket-Protocol").starts_with("base64url.bearer.authorization.k8s.io.")) std::abort();
  (void)websocket::upgrade_refusal(head);
  (void)websocket::upgrade_response(head);
  if (read->body.chunked && head.has_header("Content-Length")) std::abort();
  std::string rest = text.substr(*length);
  RequestBody body(read->body);
  if (body.take(rest) == RequestBody::State::complete && body.release().size() > kMaxBodyBytes) std::abort();
  const Request* request = &read->request;
  if (request->path.empty() || request->path[0] != '/' || request->path.find('\0') != std::string::npos) std::abort();
  if ((request->path + "/").find("/../") != std::string::npos) std::abort();
  const RequestInfo info = read_request_info(*request);
  if (info.is_resource && info.resource.empty()) std::abort();
}

}  // namespace usbloop::apiserver::fuzz
