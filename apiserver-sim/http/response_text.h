#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apiserver-sim/api/http_types.h"
#include "common/websocket/handshake.h"

// HTTP/1.1 as far as the front door itself writes it: answers with a known length and the chunks of a watch.
namespace usbloop::apiserver {

/// A whole response.
std::string response_text(const Response& response, bool keep_alive);

/// Puts the header lines of a whole response into the order of their names, as Go's net/http writes them.
void sort_headers(std::string& response);

/// The head of a chunked response; the connection closes after it.
std::string chunked_head(const std::string& content_type, const std::string& audit_id);
/// One chunk; must not be empty.
std::string chunk(const std::string& data);
/// Ends a chunked body.
inline constexpr const char* kLastChunk = "0\r\n\r\n";

/// The request in a head, without body and user. Nothing when its target is broken.
std::optional<Request> request_of(const websocket::Head& head);

/// What a head says about the body behind it.
struct BodyInfo {
  bool valid = true;  ///< false: contradicting or unreadable framing, the connection cannot go on
  bool chunked = false;
  std::uint64_t length = 0;  ///< without chunks
  [[nodiscard]] bool present() const { return chunked || length > 0; }
};
BodyInfo body_of(const websocket::Head& head);

/// Whether the client wants the connection kept after the answer.
bool wants_keep_alive(const websocket::Head& head, const std::string& head_text);

}  // namespace usbloop::apiserver
