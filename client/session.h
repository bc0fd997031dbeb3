#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "common/error.h"
#include "common/websocket/channel.h"
#include "usbredir/host_end.h"

namespace usbloop::client {

struct SessionOptions {
  /// A slot that is served sends its hello at once; one that is not served never sends one.
  std::chrono::milliseconds hello_timeout{10'000};
  /// The longest time from stop(), or from the end of the device, to the end of the connection.
  std::chrono::milliseconds close_timeout{600};
  /// Called once, when the device has been announced to the guest.
  std::function<void()> on_announced;
};

/// How a session ended.
struct SessionEnd {
  enum class Cause {
    stopped,    ///< stop() was called
    closed,     ///< the far side sent a Close frame: see `close`
    lost,       ///< the connection ended without one: see `error`, or nothing when it was a plain end of stream
    device,     ///< the device's end is over (unplugged, rejected, protocol broken): see `error`
    not_served  ///< the far side opened the websocket but never spoke usbredir
  };
  Cause cause = Cause::lost;
  websocket::CloseInfo close;
  std::optional<Error> error;
};

/// Carries the bytes between a device's host end and an open websocket, both ways with backpressure, until one of the
/// two ends or stop() is called. All functions belong to the thread that runs the executor.
class Session {
 public:
  /// `host` and `channel` must outlive run().
  Session(const asio::any_io_executor& executor, usbredir::HostEnd& host, websocket::Channel& channel,
          SessionOptions options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs the session. When it returns, the device has been taken from the guest and the connection is closed.
  asio::awaitable<SessionEnd> run();

  /// Takes the device from the guest in an orderly way and closes with 1000. Idempotent.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the channel, which may tell it of the end
};

}  // namespace usbloop::client
