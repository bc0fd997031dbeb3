#include "kube-sim/http/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "common/ascii_text.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {
namespace {

bool known_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool is_http_1_0(std::string_view head_text) {
  return head_text.substr(0, head_text.find("\r\n")).ends_with(" HTTP/1.0");
}

/// "METHOD TARGET HTTP/1.x", with one space each.
bool is_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto second = first == line.npos ? first : line.find(' ', first + 1);
  if (second == line.npos || second == first + 1) return false;
  const std::string_view version = line.substr(second + 1);
  return version == "HTTP/1.1" || version == "HTTP/1.0";
}

/// The length of a field's name: token bytes with a colon right behind them; 0 when that is not how the line begins.
std::size_t name_length(std::string_view line) {
  const auto end = std::find_if_not(line.begin(), line.end(), is_token_byte);
  return end == line.end() || *end != ':' ? 0 : static_cast<std::size_t>(end - line.begin());
}

/// The rules of RFC 9112 sections 2 to 5 for the text as it came; the parser behind is more lenient.
bool is_strict(std::string_view text) {
  if (!text.ends_with("\r\n\r\n") || !may_become_head(text)) return false;
  text.remove_suffix(2);
  bool first = true;
  // What says whom the request is for and how long it is stands there once.
  std::array<std::pair<std::string_view, int>, 3> single = {
      {{"Host", 0}, {"Content-Length", 0}, {"Transfer-Encoding", 0}}};
  const bool is_1_0 = is_http_1_0(text);
  for (; !text.empty(); first = false) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(line.size() + 2);
    if (first) {
      if (!is_request_line(line)) return false;
      continue;
    }
    const std::size_t length = name_length(line);
    if (length == 0) return false;
    for (auto& [name, count] : single) {
      if (equal_ignoring_case(line.substr(0, length), name) && ++count > 1) return false;
    }
  }
  return single[0].second == 1 || is_1_0;
}

tl::unexpected<kube::Status> refuse_head(std::string message) {
  return tl::unexpected(kube::bad_request(std::move(message)));
}

/// Nothing, or why it is not one that we know. HTTP/1.0 has none.
std::optional<kube::Status> read_expectation(std::string_view text, RequestHead& head) {
  if (!head.fields.has_header("Expect") || is_http_1_0(text)) return std::nullopt;
  const std::string expected = head.fields.header("Expect");
  if (!equal_ignoring_case(expected, "100-continue")) {
    kube::Status refused = kube::bad_request("of all expectations only 100-continue is known");
    refused.code = 417;
    return refused;
  }
  head.waits_for_continue = head.body.present();
  return std::nullopt;
}

}  // namespace

bool may_become_head(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte == '\r') {
      if (i + 1 < bytes.size() && bytes[i + 1] != '\n') return false;
    } else if (byte == '\n') {
      if (i == 0 || bytes[i - 1] != '\r') return false;
    } else if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
      return false;
    }
  }
  return true;
}

BodyInfo body_of(const websocket::Head& head) {
  BodyInfo info;
  const bool has_length = head.has_header("Content-Length");
  if (head.has_header("Transfer-Encoding")) {
    info.chunked = true;
    // Both at once, or another coding: two readers could disagree about where the request ends.
    info.valid = !has_length && equal_ignoring_case(head.header("Transfer-Encoding"), "chunked");
  } else if (has_length) {
    const std::string text = head.header("Content-Length");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), info.length);
    info.valid = error == std::errc() && end == text.data() + text.size();
  }
  return info;
}

bool wants_keep_alive(const websocket::Head& head, std::string_view head_text) {
  if (head.has_token("Connection", "close")) return false;
  return !is_http_1_0(head_text) || head.has_token("Connection", "keep-alive");
}

bool has_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

std::optional<Request> request_of(const websocket::Head& head) {
  auto target = parse_target(head.target);
  if (!target) return std::nullopt;
  Request request;
  request.method = head.method;
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.content_type = head.header("Content-Type");
  request.accept = head.header("Accept");
  request.user_agent = head.header("User-Agent");
  return request;
}

tl::expected<RequestHead, kube::Status> read_request_head(std::string_view text) {
  if (!is_strict(text)) return refuse_head("the request is not valid HTTP/1.1");
  auto fields = websocket::parse_request_head(text);
  // The parser has a limit of its own for announced bodies, above ours.
  if (!fields && fields.error().cause.find("body too large") != std::string::npos) {
    return tl::unexpected(kube::request_entity_too_large(kMaxBodyBytes));
  }
  if (!fields || !known_method(fields->method)) return refuse_head("the request is not valid HTTP/1.1");
  auto request = request_of(*fields);
  const BodyInfo body = body_of(*fields);
  // HTTP/1.0 has no chunks: whoever stands between may have passed on what it did not understand (RFC 9112, 6.1).
  const bool valid = body.valid && !(body.chunked && is_http_1_0(text));
  if (!request || !valid) return refuse_head("the request is not valid");
  if (!body.chunked && body.length > kMaxBodyBytes) {
    return tl::unexpected(kube::request_entity_too_large(kMaxBodyBytes));
  }
  const bool keep_alive = wants_keep_alive(*fields, text);
  RequestHead head{std::move(*fields), std::move(*request), body, keep_alive, false};
  if (const auto refused = read_expectation(text, head)) return tl::unexpected(*refused);
  return head;
}

}  // namespace usbloop::apiserver
