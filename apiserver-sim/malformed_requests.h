#pragma once

#include <string>
#include <vector>

// Requests that a server must not serve: each production of RFC 9112 (and what it takes from RFC 9110 and RFC 3986)
// broken once, and the forms by which a second request is smuggled past one of two readers.
namespace usbloop::apiserver::test {

struct MalformedRequest {
  const char* section;  ///< of RFC 9112 where nothing else is said
  std::string text;     ///< what is sent; a right request stands behind it
  int code = 400;       ///< the one answer, after which the connection ends
};

/// Request lines and field lines. 501, 505, 414 and 431 stand where RFC 9110 and RFC 9112 want them instead of 400.
std::vector<MalformedRequest> malformed_heads();

/// Lengths and codings, chunks and trailers behind a right request line. `authorization`: a field line of somebody who
/// may send the request, so that its body is read.
std::vector<MalformedRequest> malformed_bodies(const std::string& authorization);

}  // namespace usbloop::apiserver::test
