#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/error.h"
#include "common/websocket/channel.h"
#include "launcher-sim/guest_registry.h"

namespace usbloop::launcher {

/// The node's end of the road: virt-handler's websocket endpoint (wire.md section 13) on a unix socket.
///
///     GET /v1/namespaces/{ns}/virtualmachineinstances/{name}/usbredir   the lowest free USB slot
///     GET /v1/namespaces/{ns}/virtualmachineinstances/{name}/console    the serial console; a newer one takes over
///
/// Runs in the loop's thread; end_sessions() may be called from any.
class ChannelServer {
 public:
  ChannelServer(asio::io_context& loop, const GuestRegistry& guests, websocket::ChannelOptions options);
  ~ChannelServer();
  ChannelServer(const ChannelServer&) = delete;
  ChannelServer& operator=(const ChannelServer&) = delete;

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
