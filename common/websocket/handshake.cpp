#include "common/websocket/handshake.h"

#include <openssl/rand.h>

#include <array>
#include <websocketpp/config/core.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/processors/hybi13.hpp>

#include "common/kube/encoding.h"

namespace usbloop::websocket {
namespace {

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

std::string upgrade_refusal(const http::Head& request) {
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

std::string upgrade_response(const http::Head& request) {
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
  return kube::base64_encode({reinterpret_cast<const char*>(raw.data()), raw.size()});
}

std::string upgrade_request(const std::string& target, const std::string& host, const std::string& key,
                            const std::string& authorization, const std::string& user_agent,
                            const std::vector<std::pair<std::string, std::string>>& more) {
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
  for (const auto& [name, value] : more) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

Result<> check_upgrade_response(const http::Head& response, const std::string& key) {
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
