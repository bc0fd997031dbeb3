#include "kube-sim/http/response_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "common/ascii_text.h"

namespace usbloop::apiserver {
namespace {

const char* reason_phrase(int code) {
  switch (code) {
    case 200: return "OK";
    case 201: return "Created";
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
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

}  // namespace

std::string response_text(const Response& response, bool keep_alive) {
  std::string text = "HTTP/1.1 " + std::to_string(response.code) + " " + reason_phrase(response.code) + "\r\n";
  if (!response.content_type.empty()) text += "Content-Type: " + response.content_type + "\r\n";
  for (const auto& [name, value] : response.headers) text.append(name).append(": ").append(value).append("\r\n");
  text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  if (!keep_alive) text += "Connection: close\r\n";
  return text + "\r\n" + response.body;
}

void sort_headers(std::string& response) {
  constexpr std::string_view kLineEnd = "\r\n";
  const std::size_t end = response.find("\r\n\r\n");
  if (end == std::string::npos) return;
  const std::size_t begin = response.find(kLineEnd) + kLineEnd.size();
  if (begin > end) return;  // no headers at all
  const std::string head = response.substr(begin, end + kLineEnd.size() - begin);
  std::vector<std::string_view> lines;
  for (std::string_view rest = head; !rest.empty(); rest.remove_prefix(lines.back().size())) {
    lines.push_back(rest.substr(0, rest.find(kLineEnd) + kLineEnd.size()));
  }
  const auto earlier = [](std::string_view a, std::string_view b) {
    return less_ignoring_case(a.substr(0, a.find(':')), b.substr(0, b.find(':')));
  };
  std::stable_sort(lines.begin(), lines.end(), earlier);
  auto place = response.begin() + static_cast<std::ptrdiff_t>(begin);
  for (const std::string_view line : lines) place = std::copy(line.begin(), line.end(), place);
}

std::string chunked_head(const std::string& content_type, const std::string& audit_id) {
  return "HTTP/1.1 200 OK\r\nAudit-Id: " + audit_id + "\r\nContent-Type: " + content_type +
         "\r\nCache-Control: no-cache, private\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
}

std::string chunk(const std::string& data) {
  std::array<char, 24> size{};
  const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  std::string text(size.data(), static_cast<std::size_t>(length));
  text.append(data).append("\r\n");
  return text;
}

}  // namespace usbloop::apiserver
