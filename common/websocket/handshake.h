#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/http/head.h"

// The opening handshake of RFC 6455 on heads, without I/O. websocketpp does the sums. This header hides it, because its
// Debian 12 version does not compile as C++20.
namespace usbloop::websocket {

/// The sub-protocol of KubeVirt's byte streams.
inline constexpr std::string_view kSubprotocol = "plain.kubevirt.io";

/// Why a request is not a valid websocket upgrade, in the words of gorilla/websocket (wire.md section 12); empty when
/// it is valid.
std::string upgrade_refusal(const http::Head& request);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string accept_for_key(const std::string& key);

/// The 101 response, headers in the order of the real server; echoes the sub-protocol when the request offers it.
std::string upgrade_response(const http::Head& request);

/// A fresh random Sec-WebSocket-Key.
std::string new_key();

/// The client's request head. `target` is path and query, `host` the Host header, `authorization` may be empty;
/// `more` are further headers.
std::string upgrade_request(const std::string& target, const std::string& host, const std::string& key,
                            const std::string& authorization, const std::string& user_agent,
                            const std::vector<std::pair<std::string, std::string>>& more = {});

/// Checks a 101 response against the key that was sent. ErrorKind::protocol with the cause otherwise.
Result<> check_upgrade_response(const http::Head& response, const std::string& key);

}  // namespace usbloop::websocket
