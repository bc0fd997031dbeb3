#pragma once

#include <optional>
#include <string>

#include "common/websocket/handshake.h"

namespace usbloop::launcher {

/// What a request on the node channel asks for.
struct ChannelRequest {
  enum class Kind { usbredir, console };
  Kind kind = Kind::usbredir;
  std::string vmi_namespace;
  std::string name;
};

/// Reads the path of a request; nothing when it is none of ours.
std::optional<ChannelRequest> parse_channel_target(const std::string& target);

/// A refusal as virt-handler writes it; an empty text has no Content-Type.
std::string refusal_response(int status, const std::string& text);

}  // namespace usbloop::launcher
