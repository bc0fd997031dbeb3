#include "apiserver-sim/subresource/refusals.h"

#include <algorithm>
#include <string_view>

#include "common/ascii_text.h"

namespace usbloop::apiserver {

std::string refusal_body(kube::Status status) {
  std::string body = kube::body_indented(status);
  // The long part is what a node or a system call said. It stands in the message and in the causes.
  while (body.size() > kMaxRefusalBytes && !status.message.empty()) {
    // It stands in the body twice, and a byte of it takes up to six there ("\u0001"). Small steps keep as much of it as
    // possible.
    const std::size_t step = (body.size() - kMaxRefusalBytes) / 12 + 1;
    const auto shorten = [&](std::string& text) { text.resize(text.size() - std::min(text.size(), step)); };
    shorten(status.message);
    for (kube::StatusCause& cause : status.causes) shorten(cause.message);
    body = kube::body_indented(status);
  }
  return body;
}

Response answer_refusal(const kube::Status& status) {
  return {status.code, "application/json", refusal_body(status), {}};
}

Response answer_text(int code, std::string text) { return {code, "text/plain; charset=utf-8", std::move(text), {}}; }

std::string dial_text(const std::string& path, const Error& error) {
  std::string cause = error.cause;
  if (!cause.empty()) cause[0] = lower_case(cause[0]);
  return "dial unix " + path + ": connect: " + cause;
}

kube::Status dial_failure(const std::string& cause) { return kube::internal_error("dialing virt-handler: " + cause); }

kube::Status handshake_refused(int code, const std::string& text) {
  std::string cause = "Can't connect to websocket (" + std::to_string(code) + "): websocket: bad handshake";
  const std::string_view info = std::string_view(text).substr(0, text.find_last_not_of(" \r\n\t") + 1);
  if (!info.empty()) cause.append(": application info: ").append(info);
  return kube::internal_error(cause);
}

}  // namespace usbloop::apiserver
