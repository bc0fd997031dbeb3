#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "common/websocket/handshake.h"
#include "kube-sim/request/http_types.h"

// The head of a request, as the front door reads it.
namespace usbloop::apiserver {

/// Whether the bytes can go on to be a head: no control byte but the tab, and line breaks only as CR LF.
bool may_become_head(std::string_view bytes);

/// What a head says about the body behind it. Neither Content-Length nor Transfer-Encoding: there is none (RFC 9112
/// section 6.3).
struct BodyInfo {
  bool valid = true;  ///< false: contradicting or unreadable framing, the connection cannot go on
  bool chunked = false;
  std::uint64_t length = 0;  ///< without chunks
  [[nodiscard]] bool present() const { return chunked || length > 0; }
};
BodyInfo body_of(const websocket::Head& head);

/// Whether the client wants the connection kept after the answer.
bool wants_keep_alive(const websocket::Head& head, std::string_view head_text);

/// The request in a head, without body and user. Nothing when its target is broken.
std::optional<Request> request_of(const websocket::Head& head);

/// The methods whose body is read; with others what stands behind the head is left, and the connection ends.
bool has_body(std::string_view method);

/// A head that the server can go on with.
struct RequestHead {
  websocket::Head fields;
  Request request;  ///< without body and user
  BodyInfo body;    ///< valid, and within kMaxBodyBytes when it is announced
  bool keep_alive = true;
  bool waits_for_continue = false;  ///< the client sends its body after `100 Continue`
};

/// Reads a whole head, strictly (RFC 9112): what two readers could read in two ways is refused. The refusal, after
/// which the connection has to end: 400 for what is no HTTP/1.1, 413 for a body that is announced too large, 417 for an
/// expectation other than `100-continue`.
tl::expected<RequestHead, kube::Status> read_request_head(std::string_view text);

}  // namespace usbloop::apiserver
