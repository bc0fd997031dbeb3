#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"

// The opening handshake of RFC 6455 on text, without I/O. websocketpp does the work. This header hides it, because its
// Debian 12 version does not compile as C++20.
namespace usbloop::websocket {

/// The sub-protocol of KubeVirt's byte streams.
inline constexpr std::string_view kSubprotocol = "plain.kubevirt.io";

/// Largest request or response head we read, in bytes: the limit of websocketpp's parser.
inline constexpr std::size_t kMaxHeadBytes = 16'000;

/// One HTTP/1.x message head, parsed. Header names are matched without regard to case.
class Head {
 public:
  std::string method;       ///< requests
  std::string target;       ///< requests: path and query as sent
  int status = 0;           ///< responses
  std::string status_text;  ///< responses
  std::vector<std::pair<std::string, std::string>> headers;

  /// First value of the header, trimmed; empty when absent.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
  /// Whether a comma-separated header contains the token (case-insensitive), as Connection and Upgrade need.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
};

/// Length of the head at the start of `bytes` including its empty line, or nothing when it is not complete yet.
std::optional<std::size_t> head_length(std::string_view bytes);

/// Parses exactly one head (as found by head_length). ErrorKind::protocol for anything that is not HTTP/1.x.
Result<Head> parse_request_head(std::string_view head);
Result<Head> parse_response_head(std::string_view head);

/// Why a request is not a valid websocket upgrade, in the words of gorilla/websocket (wire.md section 12); empty when
/// it is valid.
std::string upgrade_refusal(const Head& request);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string accept_for_key(const std::string& key);

/// The 101 response, headers in the order of the real server; echoes the sub-protocol when the request offers it.
std::string upgrade_response(const Head& request);

/// A fresh random Sec-WebSocket-Key.
std::string new_key();

/// The client's request head. `target` is path and query, `host` the Host header, `authorization` may be empty.
std::string upgrade_request(const std::string& target, const std::string& host, const std::string& key,
                            const std::string& authorization, const std::string& user_agent);

/// Checks a 101 response against the key that was sent. ErrorKind::protocol with the cause otherwise.
Result<> check_upgrade_response(const Head& response, const std::string& key);

}  // namespace usbloop::websocket
