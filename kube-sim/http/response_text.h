#pragma once

#include <string>

#include "kube-sim/request/http_types.h"

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

}  // namespace usbloop::apiserver
