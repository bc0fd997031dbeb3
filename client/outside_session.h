#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>

#include "client/session.h"
#include "common/net/deadline.h"
#include "common/net/listener.h"
#include "common/net/stream.h"
#include "common/websocket/channel.h"

namespace usbloop::client {

/// Carries the bytes between a websocket that is open and the one connection of another program, which speaks usbredir
/// for a device. What the guest says before that program has connected is kept for it, up to a bound. Each direction
/// reads only what it can pass on. All functions belong to the thread that runs the executor.
class OutsideSession {
 public:
  /// The references must outlive run().
  OutsideSession(const asio::any_io_executor& executor, websocket::Channel& channel, net::Listener& listener);
  OutsideSession(const OutsideSession&) = delete;
  OutsideSession& operator=(const OutsideSession&) = delete;

  /// Runs until either side ends, or stop() or fail() is called; then both connections are closed. `on_connected` is
  /// called when the program has connected. The end of the program's connection is SessionEnd::Cause::device.
  asio::awaitable<SessionEnd> run(std::function<void()> on_connected);

  /// Ends it in order. Idempotent.
  void stop() { finish({SessionEnd::Cause::stopped, {}, {}}); }
  /// There will be no connection, or no more of it, as somebody else knows.
  void fail(Error error) { finish({SessionEnd::Cause::device, {}, std::move(error)}); }
  [[nodiscard]] bool is_connected() const { return program_ != nullptr; }

 private:
  asio::awaitable<void> far_to_program();
  asio::awaitable<void> program_to_far();
  asio::awaitable<bool> keep_for_program(std::span<const std::byte> payload);
  asio::awaitable<bool> give_what_was_kept();
  asio::awaitable<Result<>> pump_program();
  void finish(SessionEnd end);

  asio::any_io_executor executor_;
  websocket::Channel& channel_;
  net::Listener& listener_;
  net::StreamPtr program_;
  std::string kept_;           ///< the guest's words for a program that has not connected yet
  bool passes_ = false;        ///< the program has them; what comes now goes straight to it
  asio::steady_timer change_;  ///< never expires; cancelled when `kept_`, `passes_` or `end_` have changed
  std::optional<SessionEnd> end_;
  std::optional<net::Deadline> last_word_;
};

}  // namespace usbloop::client
