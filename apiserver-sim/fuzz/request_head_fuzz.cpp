#include <cstdlib>

#include "apiserver-sim/api/request_info.h"
#include "apiserver-sim/fuzz/targets.h"
#include "apiserver-sim/fuzz/text.h"
#include "apiserver-sim/http/request_head.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver::fuzz {

// What the front door does with the first bytes of a request, up to the handler.
void request_head(std::span<const std::byte> input) {
  const std::string text = text_of(input);
  const auto length = websocket::head_length(text);
  if (!length) return;
  if (*length > text.size()) std::abort();
  const std::string head_text = text.substr(0, *length);
  const auto head = websocket::parse_request_head(head_text);
  if (!head) return;
  (void)websocket::upgrade_refusal(*head);
  (void)websocket::upgrade_response(*head);
  (void)wants_keep_alive(*head, head_text);
  const BodyInfo body = body_of(*head);
  if (body.valid && body.chunked && head->has_header("Content-Length")) std::abort();
  const auto request = request_of(*head);
  if (!request) return;
  if (request->path.empty() || request->path[0] != '/' || request->path.find('\0') != std::string::npos) std::abort();
  if ((request->path + "/").find("/../") != std::string::npos) std::abort();
  const RequestInfo info = read_request_info(*request);
  if (info.is_resource && info.resource.empty()) std::abort();
}

}  // namespace usbloop::apiserver::fuzz
