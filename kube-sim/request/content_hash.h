#pragma once

#include <string>
#include <string_view>

#include "kube-sim/request/http_types.h"

// Hashes by which clients know a document again.
namespace usbloop::apiserver {

/// SHA-512 in upper-case hexadecimal digits, as kube-apiserver names its OpenAPI documents.
std::string content_hash(std::string_view text);

/// The first bytes of SHA-256, in base64.
std::string base64_of_sha256(std::string_view text, std::size_t bytes);

/// Gives a response the ETag of its body, or makes it a 304 without one when the request's If-None-Match has it.
void settle_etag(const Request& request, Response& response);

}  // namespace usbloop::apiserver
