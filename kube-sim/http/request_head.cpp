#include "kube-sim/http/request_head.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/ascii_text.h"
#include "common/http/content_length.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {
namespace {

tl::unexpected<kube::Status> refuse_framing(int code, const char* why) {
  return tl::unexpected(head_refusal(code, std::string("the body of the request cannot be read: ") + why));
}

/// Whether all codings before the last are tokens, and none of them is `chunked`, which is applied once and last.
bool are_other_codings(std::string_view list) {
  while (true) {
    const auto comma = list.find(',');
    const std::string_view coding = trim(list.substr(0, comma));
    const bool is_token = !coding.empty() && std::all_of(coding.begin(), coding.end(), is_token_byte);
    if (!is_token || equal_ignoring_case(coding, "chunked")) return false;
    if (comma == list.npos) return true;
    list.remove_prefix(comma + 1);
  }
}

/// The framing of a message with Transfer-Encoding.
tl::expected<BodyInfo, kube::Status> read_coding(const http::HeadText& head) {
  // HTTP/1.0 has no chunks: whoever stands between may have passed on what it did not understand. With a length beside
  // it two readers could disagree about where the request ends.
  if (head.is_1_0) return refuse_framing(400, "HTTP/1.0 has no transfer codings");
  if (head.fields.has_header("Content-Length")) return refuse_framing(400, "it has a coding and a length");
  const std::string codings = head.fields.header("Transfer-Encoding");
  if (equal_ignoring_case(codings, "chunked")) return BodyInfo{true, 0};
  const auto comma = codings.rfind(',');
  const std::string_view last = trim(std::string_view(codings).substr(comma == codings.npos ? 0 : comma + 1));
  const bool other = comma != codings.npos && equal_ignoring_case(last, "chunked") &&
                     are_other_codings(std::string_view(codings).substr(0, comma));
  if (other) return refuse_framing(501, "of all transfer codings only chunked is known");
  return refuse_framing(400, "nothing says where it ends");
}

bool wants_keep_alive(const http::HeadText& head) {
  if (head.fields.has_token("Connection", "close")) return false;
  return !head.is_1_0 || head.fields.has_token("Connection", "keep-alive");
}

/// Nothing when its target is broken.
std::optional<Request> request_of(const http::Head& head) {
  auto target = parse_target(head.target);
  if (!target) return std::nullopt;
  Request request;
  request.method = head.method;
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.content_type = head.header("Content-Type");
  request.accept = head.header("Accept");
  request.if_none_match = head.header("If-None-Match");
  request.user_agent = head.header("User-Agent");
  return request;
}

}  // namespace

kube::Status head_refusal(int code, std::string message) {
  kube::Status status = kube::bad_request(std::move(message));
  if (code != status.code) status.reason.clear();
  status.code = code;
  return status;
}

tl::expected<BodyInfo, kube::Status> read_framing(const http::HeadText& head) {
  const std::string content_coding = head.fields.header("Content-Encoding");
  if (!content_coding.empty() && !equal_ignoring_case(content_coding, "identity")) {
    return refuse_framing(415, "no content codings are known");
  }
  if (head.fields.has_header("Transfer-Encoding")) return read_coding(head);
  const auto length = http::content_length(head.fields);
  if (!length) return refuse_framing(400, "its length is no number");
  const BodyInfo info{false, length->value_or(0)};
  if (info.length > kMaxBodyBytes) return tl::unexpected(kube::request_entity_too_large(kMaxBodyBytes));
  return info;
}

bool has_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

tl::expected<RequestHead, kube::Status> read_request_head(std::string_view text) {
  auto head = http::parse_request_head(text);
  if (!head) return tl::unexpected(head_refusal(head.error().code, std::move(head.error().message)));
  auto request = request_of(head->fields);
  if (!request) return tl::unexpected(head_refusal(400, "the target of the request is not valid"));
  const auto body = read_framing(*head);
  if (!body) return tl::unexpected(body.error());
  bool waits = false;
  if (head->fields.has_header("Expect") && !head->is_1_0) {  // HTTP/1.0 has none
    if (!equal_ignoring_case(head->fields.header("Expect"), "100-continue")) {
      return tl::unexpected(head_refusal(417, "of all expectations only 100-continue is known"));
    }
    waits = body->present();
  }
  const bool keep_alive = wants_keep_alive(*head);
  return RequestHead{std::move(head->fields), std::move(*request), *body, keep_alive, waits};
}

}  // namespace usbloop::apiserver
