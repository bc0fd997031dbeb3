#include "common/http/head_grammar.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/ascii_text.h"

namespace usbloop::http {
namespace {

constexpr std::string_view kLineBreak = "\r\n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// unreserved, sub-delims and the mark of an escape: what a host's name is made of (RFC 3986 section 3.2.2).
bool is_name_byte(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=%";
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
}

/// What a path and a query are made of (RFC 3986 sections 3.3 and 3.4), and the marks that browsers and curl leave as
/// they are: Go's net/url takes these too, and nobody reads them as anything else. Two that Go takes are not here: a
/// reader before this one may end the target at a '#', or take a '\' for a '/'.
bool is_target_byte(char c) {
  constexpr std::string_view kMarks = ":@/?\"<>[]^`{|}";
  return is_name_byte(c) || kMarks.find(c) != kMarks.npos;
}

/// The target as path and query. A server takes the absolute form too (RFC 9112 section 3.2.2); the other two are for
/// methods that this one does not have.
std::optional<std::string> origin_form(std::string_view target) {
  if (!target.starts_with('/')) {
    const auto colon = target.find("://");
    const std::string_view scheme = target.substr(0, colon);
    if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) return std::nullopt;
    if (colon == target.npos) return std::nullopt;
    target.remove_prefix(colon + 3);
    const std::string_view authority = target.substr(0, target.find_first_of("/?"));
    if (authority.empty() || !is_authority(authority)) return std::nullopt;
    target.remove_prefix(authority.size());
  }
  if (!std::all_of(target.begin(), target.end(), is_target_byte)) return std::nullopt;
  return (target.starts_with('/') ? "" : "/") + std::string(target);
}

bool is_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
}

bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

HeadRefusal malformed(const char* what) { return {400, std::string("the request is not valid HTTP/1.1: ") + what}; }

/// "METHOD TARGET HTTP/1.x", with one space each.
std::optional<HeadRefusal> read_request_line(std::string_view line, HeadText& head) {
  const auto first = line.find(' ');
  const auto second = first == line.npos ? first : line.find(' ', first + 1);
  if (second == line.npos) return malformed("its first line");
  const std::string_view method = line.substr(0, first);
  const std::string_view version = line.substr(second + 1);
  if (method.empty() || !std::all_of(method.begin(), method.end(), is_token_byte)) return malformed("its method");
  if (!is_version(version)) return malformed("its version");
  head.is_1_0 = version == "HTTP/1.0";
  if (!head.is_1_0 && version != "HTTP/1.1") return HeadRefusal{505, "the server speaks HTTP/1.1"};
  if (!is_known_method(method)) return HeadRefusal{501, "the server does not know the method of the request"};
  auto target = origin_form(line.substr(first + 1, second - first - 1));
  if (!target) return malformed("its target");
  head.fields.method = method;
  head.fields.target = std::move(*target);
  return std::nullopt;
}

/// "HTTP/1.x CODE REASON". The reason may be empty, and then the blank before it may be missing: many leave it out.
bool read_status_line(std::string_view line, Head& head) {
  constexpr std::size_t kVersion = 8;
  constexpr std::size_t kCode = 3;
  const std::string_view version = line.substr(0, kVersion);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
  line.remove_prefix(kVersion);
  if (line.size() < kCode + 1 || line[0] != ' ') return false;
  const std::string_view code = line.substr(1, kCode);
  if (!std::all_of(code.begin(), code.end(), is_digit) || code[0] == '0') return false;
  line.remove_prefix(kCode + 1);
  if (!line.empty() && line[0] != ' ') return false;
  for (const char digit : code) head.status = head.status * 10 + (digit - '0');
  head.status_text = trim(line);
  return true;
}

/// Whether the text is one head that goes up to its empty line. Takes that off.
bool is_whole_head(std::string_view& text) {
  if (!text.ends_with("\r\n\r\n") || !may_become_head(text)) return false;
  text.remove_suffix(kLineBreak.size());
  return true;
}

/// Takes a line with its break off the front; the line.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find(kLineBreak));
  text.remove_prefix(line.size() + kLineBreak.size());
  return line;
}

/// The lines behind the first; false when one is malformed.
bool read_field_lines(std::string_view text, Head& head) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t length = field_name_length(line);
    if (length == 0) return false;
    head.headers.emplace_back(line.substr(0, length), trim(line.substr(length + 1)));
  }
  return true;
}

/// What says whom the request is for and how long it is stands there once.
std::optional<HeadRefusal> check_single_fields(const HeadText& head) {
  const Head& fields = head.fields;
  if (fields.count("Content-Length") > 1 || fields.count("Transfer-Encoding") > 1) {
    return malformed("its framing stands there twice");
  }
  const auto hosts = fields.count("Host");
  if (hosts > 1 || (hosts == 0 && !head.is_1_0)) return malformed("it has to name one host");
  if (!is_authority(fields.header("Host"))) return malformed("its host");
  return std::nullopt;
}

}  // namespace

bool is_authority(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && (end == text.npos || end == 1)) return false;
  const std::string_view host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  const auto allowed = [bracketed](char c) { return is_name_byte(c) || (bracketed && c == ':'); };
  if (!std::all_of(host.begin(), host.end(), allowed)) return false;
  if (end == text.npos) return true;
  const std::string_view port = text.substr(end + (bracketed ? 1 : 0));
  return port.empty() || (port[0] == ':' && std::all_of(port.begin() + 1, port.end(), is_digit));
}

std::size_t field_name_length(std::string_view line) {
  const auto end = std::find_if_not(line.begin(), line.end(), is_token_byte);
  return end == line.end() || *end != ':' ? 0 : static_cast<std::size_t>(end - line.begin());
}

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

tl::expected<HeadText, HeadRefusal> parse_request_head(std::string_view text) {
  if (!is_whole_head(text)) return tl::unexpected(HeadRefusal{400, "the request is not valid HTTP/1.1"});
  HeadText head;
  if (auto refused = read_request_line(take_line(text), head)) return tl::unexpected(std::move(*refused));
  if (!read_field_lines(text, head.fields)) return tl::unexpected(malformed("one of its field lines"));
  if (auto refused = check_single_fields(head)) return tl::unexpected(std::move(*refused));
  return head;
}

Result<Head> parse_response_head(std::string_view text) {
  const auto refuse = [](const char* cause) { return make_error(ErrorKind::protocol, "read", "the HTTP head", cause); };
  if (!is_whole_head(text)) return refuse("it is not HTTP/1.x");
  Head head;
  if (!read_status_line(take_line(text), head)) return refuse("its first line is no status line of HTTP/1.x");
  if (!read_field_lines(text, head)) return refuse("one of its field lines is malformed");
  if (head.count("Transfer-Encoding") > 1) return refuse("its framing stands there twice");
  return head;
}

}  // namespace usbloop::http
