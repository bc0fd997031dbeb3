#pragma once

#include <optional>
#include <string>

#include "launcher-sim/guest_action.h"

namespace usbloop::launcher {

/// What a request on the node channel asks for.
struct ChannelRequest {
  enum class Kind {
    usbredir,
    console,
    vnc,
    action,  ///< no stream: something is done to the guest, and answered
    agent    ///< would need a guest agent, which no guest has
  };
  Kind kind = Kind::usbredir;
  std::string endpoint;                           ///< the last segment of the path
  bool preserve_session = false;                  ///< vnc: a newer one does not take over
  GuestAction guest_action = GuestAction::pause;  ///< action
  std::string vmi_namespace;
  std::string name;
};

/// Reads the method and the target of a request; nothing when it is none of ours.
std::optional<ChannelRequest> parse_channel_request(const std::string& method, const std::string& target);

/// An answer that is no stream, as virt-handler writes it; an empty text has no Content-Type.
std::string plain_response(int status, const std::string& text);

}  // namespace usbloop::launcher
