#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/http/chunked_body.h"
#include "kube-sim/http/request_head.h"

namespace usbloop::apiserver {

/// The body behind one request's head, taken out of the connection's buffer as it comes; at most kMaxBodyBytes.
/// No I/O.
class RequestBody {
 public:
  using State = http::ChunkedBody::State;

  explicit RequestBody(const BodyInfo& info);

  /// Takes what belongs to the body off the front of `buffer`; what belongs to the next request stays. After any other
  /// answer than `more` it must not be called again.
  State take(std::string& buffer);

  /// The content that has come. Leaves nothing.
  std::string release();

 private:
  std::optional<http::ChunkedBody> chunks_;
  std::uint64_t left_;  ///< without chunks: what is still to come
  std::string content_;
};

}  // namespace usbloop::apiserver
