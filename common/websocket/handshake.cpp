#include "common/websocket/handshake.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <websocketpp/config/core.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/processors/hybi13.hpp>

#include "common/ascii_text.h"

namespace usbloop::websocket {
namespace {

namespace http = websocketpp::http;

/// Feeds one whole head to a websocketpp parser and copies the headers out.
template <typename Message>
Result<> parse(std::string_view text, Message& message, Head& head) {
  try {
    message.consume(text.data(), text.size());
  } catch (const std::exception& error) {
    return make_error(ErrorKind::protocol, "read", "the HTTP head", error.what());
  }
  for (const auto& [name, value] : message.get_headers()) head.headers.emplace_back(name, value);
  const std::string& version = message.get_version();
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return make_error(ErrorKind::protocol, "read", "the HTTP head", "not HTTP/1.x");
  }
  return {};
}

/// The three digits of a status line; 0 when there are none. websocketpp is not asked: its enumeration cannot hold
/// unknown values, and reading one back is undefined.
int status_in(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  const char* begin = line.data() + space + 1;
  int status = 0;
  const auto [end, code] = std::from_chars(begin, line.data() + line.size(), status);
  return code == std::errc() && end - begin == 3 && status >= 100 ? status : 0;
}

/// websocketpp's processor needs a message manager and a random source in its constructor; the handshake functions
/// we call use neither.
struct Processor {
  websocketpp::config::core::rng_type random;
  websocketpp::processor::hybi13<websocketpp::config::core> hybi13{false, true, nullptr, random};
};

websocketpp::config::core::request_type request_with_key(const std::string& key) {
  websocketpp::config::core::request_type request;
  request.replace_header("Sec-WebSocket-Key", key);
  return request;
}

}  // namespace

std::string Head::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return std::string(trim(value));
  }
  return {};
}

bool Head::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return equal_ignoring_case(header.first, name); });
}

bool Head::has_token(std::string_view name, std::string_view token) const {
  for (const auto& [key, value] : headers) {
    if (!equal_ignoring_case(key, name)) continue;
    std::string_view rest = value;
    while (true) {
      const auto comma = rest.find(',');
      if (equal_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

std::optional<std::size_t> head_length(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return end + 4;
}

Result<Head> parse_request_head(std::string_view text) {
  Head head;
  http::parser::request message;
  if (const auto parsed = parse(text, message, head); !parsed) return tl::unexpected(parsed.error());
  head.method = message.get_method();
  head.target = message.get_uri();
  return head;
}

Result<Head> parse_response_head(std::string_view text) {
  Head head;
  http::parser::response message;
  if (const auto parsed = parse(text, message, head); !parsed) return tl::unexpected(parsed.error());
  head.status = status_in(text);
  if (head.status == 0) return make_error(ErrorKind::protocol, "read", "the HTTP head", "no status of three digits");
  head.status_text = message.get_status_msg();
  return head;
}

std::string upgrade_refusal(const Head& request) {
  if (!request.has_token("Connection", "upgrade")) {
    return "websocket: the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' "
           "header";
  }
  if (!request.has_token("Upgrade", "websocket")) {
    return "websocket: the client is not using the websocket protocol: 'websocket' token not found in 'Upgrade' header";
  }
  if (request.method != "GET") {
    return "websocket: the client is not using the websocket protocol: request method is not GET";
  }
  if (!request.has_token("Sec-Websocket-Version", "13")) {
    return "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header";
  }
  if (request.header("Sec-Websocket-Key").empty()) {
    return "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header is missing or blank";
  }
  return {};
}

std::string accept_for_key(const std::string& key) {
  const Processor processor;
  websocketpp::config::core::response_type response;
  processor.hybi13.process_handshake(request_with_key(key), {}, response);
  return response.get_header("Sec-WebSocket-Accept");
}

std::string upgrade_response(const Head& request) {
  std::string text =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_for_key(request.header("Sec-WebSocket-Key")) + "\r\n";
  if (request.has_token("Sec-WebSocket-Protocol", kSubprotocol)) {
    text += "Sec-WebSocket-Protocol: " + std::string(kSubprotocol) + "\r\n";
  }
  return text + "\r\n";
}

std::string new_key() {
  std::array<unsigned char, 16> raw{};
  RAND_bytes(raw.data(), static_cast<int>(raw.size()));
  return websocketpp::base64_encode(raw.data(), raw.size());
}

std::string upgrade_request(const std::string& target, const std::string& host, const std::string& key,
                            const std::string& authorization, const std::string& user_agent) {
  std::string text = "GET " + target +
                     " HTTP/1.1\r\n"
                     "Host: " +
                     host +
                     "\r\n"
                     "User-Agent: " +
                     user_agent +
                     "\r\n"
                     "Connection: Upgrade\r\n"
                     "Upgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: " +
                     key +
                     "\r\n"
                     "Sec-WebSocket-Protocol: " +
                     std::string(kSubprotocol) + "\r\n";
  if (!authorization.empty()) text += "Authorization: " + authorization + "\r\n";
  return text + "\r\n";
}

Result<> check_upgrade_response(const Head& response, const std::string& key) {
  const auto refuse = [](std::string cause) {
    return make_error(ErrorKind::protocol, "open", "the websocket", std::move(cause));
  };
  if (response.status != 101) return refuse("the server answered " + std::to_string(response.status));
  if (!response.has_token("Upgrade", "websocket")) return refuse("the answer has no 'Upgrade: websocket'");
  if (!response.has_token("Connection", "upgrade")) return refuse("the answer has no 'Connection: Upgrade'");
  if (response.header("Sec-WebSocket-Accept") != accept_for_key(key)) {
    return refuse("Sec-WebSocket-Accept does not fit the key that was sent");
  }
  if (response.has_header("Sec-WebSocket-Extensions")) return refuse("an extension that was not offered");
  // None at all is fine (RFC 6455 section 4.1: only another one than asked for fails the connection).
  if (response.has_header("Sec-WebSocket-Protocol") && response.header("Sec-WebSocket-Protocol") != kSubprotocol) {
    return refuse("a subprotocol that was not asked for");
  }
  return {};
}

}  // namespace usbloop::websocket
