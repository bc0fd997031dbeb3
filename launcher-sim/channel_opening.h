#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/http/head.h"
#include "launcher-sim/channel_request.h"
#include "launcher-sim/guest_registry.h"

namespace usbloop::launcher {

/// A refusal: HTTP status and text.
struct Refused {
  int status;
  std::string text;
};

/// A request on the node channel that is to be had.
struct Opening {
  http::Head head;
  ChannelRequest request;
  GuestAddress guest;

  /// "NAMESPACE/NAME", for the log.
  [[nodiscard]] std::string vmi() const { return request.vmi_namespace + "/" + request.name; }
};

/// Whether the request wants a stream of bytes, and not one answer.
bool is_stream(ChannelRequest::Kind kind);

/// Reads a whole head, and looks whether what it asks for is to be had.
tl::expected<Opening, Refused> read_opening(std::string_view head, const GuestRegistry& guests);

}  // namespace usbloop::launcher
