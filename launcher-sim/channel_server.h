#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/error.h"
#include "common/websocket/channel.h"
#include "launcher-sim/action_request.h"
#include "launcher-sim/guest_registry.h"

namespace usbloop::launcher {

struct ChannelServerOptions {
  websocket::ChannelOptions websocket = {};
  bool handoff = true;  ///< hand a device's socket to an API server on this machine that offers to take it over
};

/// The node's end of the road: virt-handler's websocket endpoint (wire.md section 13) on a unix socket.
///
///     GET /v1/namespaces/{ns}/virtualmachineinstances/{name}/usbredir   the lowest free USB slot
///     GET /v1/namespaces/{ns}/virtualmachineinstances/{name}/console    the serial console; a newer one takes over
///     GET /v1/namespaces/{ns}/virtualmachineinstances/{name}/vnc        the display, as RFB; a newer one takes over
///                                                                       unless it says preserveSession=true
///     PUT /v1/namespaces/{ns}/virtualmachineinstances/{name}/pause      also unpause, softreboot, reset
///
/// Where both sides want it, the device's socket is handed over (bridge/handoff.h), and the API server is the end.
/// Runs in the loop's thread; end_sessions() may be called from any.
class ChannelServer {
 public:
  ChannelServer(asio::io_context& loop, const GuestRegistry& guests, ChannelServerOptions options);
  ~ChannelServer();
  ChannelServer(const ChannelServer&) = delete;
  ChannelServer& operator=(const ChannelServer&) = delete;

  /// Who does what PUT requests ask for; until then they are refused. From any thread.
  void on_action(PerformAction perform);

  /// Listens at `path`, whatever its length; replaces a socket that an earlier launcher left.
  Result<> listen(const std::string& path);

  /// Ends the sessions of one guest: the device side is closed, each client sees the end of its stream.
  void end_sessions(const std::string& uid);

  /// Stops accepting and ends all sessions.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
  asio::io_context& loop_;
};

}  // namespace usbloop::launcher
