#pragma once

#include <string>

#include "common/error.h"
#include "common/kube/status.h"
#include "kube-sim/request/http_types.h"

// How virt-api says no: Statuses indented by one space, of exactly application/json. wire.md sections 11 and 12.
namespace usbloop::apiserver {

/// The largest body of a refusal: websocket clients keep no more of it. wire.md section 11.
inline constexpr std::size_t kMaxRefusalBytes = 1024;

/// virt-api's body of a refusal: indented, and no longer than kMaxRefusalBytes.
std::string refusal_body(kube::Status status);
/// The same as an answer.
Response answer_refusal(const kube::Status& status);
/// An error that the real server writes as bare text; `Content-Type` as Go finds it out.
Response answer_text(int code, std::string text);

/// "dial unix PATH: connect: connection refused": the words of Go's dialer.
std::string dial_text(const std::string& path, const Error& error);
/// The node could not be reached.
kube::Status dial_failure(const std::string& cause);
/// The node answered a websocket handshake with something else than 101; `text` is its body.
kube::Status handshake_refused(int code, const std::string& text);

}  // namespace usbloop::apiserver
