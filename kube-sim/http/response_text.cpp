#include "kube-sim/http/response_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "common/ascii_text.h"

namespace usbloop::apiserver {
namespace {

const char* reason_phrase(int code) {
  switch (code) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Request Entity Too Large";
    case 414: return "Request URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

/// A header's value on its line: nothing in it can begin another one.
std::string on_one_line(std::string value) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  std::replace_if(value.begin(), value.end(), is_control, ' ');
  return value;
}

/// Whether the status says that there is no body, whose length is then not told (RFC 9110 section 8.6).
bool has_no_body(int code) { return code == 204 || code == 304; }

void append_field(std::string& text, const std::string& name, const std::string& value) {
  text.append(name).append(": ").append(on_one_line(value)).append("\r\n");
}

}  // namespace

std::string response_text(Response response, const AnswerForm& form) {
  auto headers = std::move(response.headers);
  headers.insert(headers.end(), form.headers.begin(), form.headers.end());
  if (!response.content_type.empty()) headers.emplace_back("Content-Type", response.content_type);
  if (!has_no_body(response.code)) headers.emplace_back("Content-Length", std::to_string(response.body.size()));
  if (!form.audit_id.empty()) headers.emplace_back("Audit-Id", form.audit_id);
  if (!form.keep_alive) headers.emplace_back("Connection", "close");
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return less_ignoring_case(a.first, b.first); });
  std::string text = "HTTP/1.1 " + std::to_string(response.code) + " " + reason_phrase(response.code) + "\r\n";
  for (const auto& [name, value] : headers) append_field(text, name, value);
  text += "\r\n";
  if (form.only_head || has_no_body(response.code)) return text;
  return std::move(response.body.insert(0, text));
}

std::string chunked_head(const std::string& content_type, const AnswerForm& form) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (const auto& [name, value] : form.headers) append_field(text, name, value);
  append_field(text, "Audit-Id", form.audit_id);
  append_field(text, "Content-Type", content_type);
  return text + "Cache-Control: no-cache, private\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
}

std::string chunk(const std::string& data) {
  std::array<char, 24> size{};
  const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  std::string text(size.data(), static_cast<std::size_t>(length));
  text.append(data).append("\r\n");
  return text;
}

}  // namespace usbloop::apiserver
