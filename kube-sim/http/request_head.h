#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/http/head.h"
#include "common/http/head_grammar.h"
#include "common/kube/status.h"
#include "kube-sim/request/http_types.h"

// The head of a request, as the front door goes on with it.
namespace usbloop::apiserver {

/// A refusal of what came, by that code. `message` becomes the whole text.
kube::Status head_refusal(int code, std::string message);

/// What a head says about the body behind it. Neither Content-Length nor Transfer-Encoding: there is none (RFC 9112
/// section 6.3).
struct BodyInfo {
  bool chunked = false;
  std::uint64_t length = 0;  ///< without chunks
  [[nodiscard]] bool present() const { return chunked || length > 0; }
};
/// The refusal: 400 for framing that contradicts itself or cannot be read, 501 for a transfer coding that is not known
/// (RFC 9112 section 6.1), 415 for a content coding (RFC 9110 section 8.4), 413 for a length over kMaxBodyBytes.
tl::expected<BodyInfo, kube::Status> read_framing(const http::HeadText& head);

/// The methods whose body is read; with others what stands behind the head is left, and the connection ends.
bool has_body(std::string_view method);

/// A head that the server can go on with.
struct RequestHead {
  http::Head fields;
  Request request;  ///< without body and user
  BodyInfo body;
  bool keep_alive = true;           ///< the client wants the connection kept after the answer
  bool waits_for_continue = false;  ///< the client sends its body after `100 Continue`
};

/// Reads a whole head. The refusal, after which the connection has to end: those of http::parse_request_head and
/// read_framing, 400 for a target that cannot be decoded, 417 for an expectation other than `100-continue`.
tl::expected<RequestHead, kube::Status> read_request_head(std::string_view text);

}  // namespace usbloop::apiserver
