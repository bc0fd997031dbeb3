#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "common/error.h"
#include "usbredir/host_end.h"

namespace usbloop::bridge {

/// The way to the guest side, as a carrier needs it: a byte stream (stream_side.h) or a websocket. One coroutine reads,
/// one sends.
class GuestSide {
 public:
  virtual ~GuestSide() = default;

  /// The next bytes, valid until the next call; empty at the end.
  virtual asio::awaitable<Result<std::span<const std::byte>>> read() = 0;
  /// Sends of `host.pending()` what can be sent without waiting. False: await finish_sending() before the next call.
  [[nodiscard]] virtual bool start_sending(usbredir::HostEnd& host) = 0;
  virtual asio::awaitable<Result<>> finish_sending() = 0;
  /// The last word; nothing is sent after it. `broken`: the guest side has broken usbredir.
  virtual asio::awaitable<void> say_goodbye(bool broken) = 0;
  /// Cuts the connection at once. Pending reads and writes end with an error.
  virtual void abort() = 0;
};

struct CarrierOptions {
  /// A guest side that is served sends its hello at once; one that is not never sends one. Nothing: wait for ever.
  std::optional<std::chrono::milliseconds> hello_timeout = std::nullopt;
  /// The longest time from stop(), or from the end of the device, to the end of the connection.
  std::chrono::milliseconds close_timeout{600};
  /// Called once, when the device has been announced to the guest.
  std::function<void()> on_announced = nullptr;
};

/// How it ended.
struct CarrierEnd {
  enum class Cause {
    stopped,     ///< stop() was called
    peer_ended,  ///< the guest side ended its stream
    lost,        ///< the connection broke: see `error`
    device,      ///< the device's end is over (unplugged, rejected, protocol broken): see `error`
    not_served   ///< the guest side never spoke usbredir
  };
  Cause cause = Cause::lost;
  std::optional<Error> error = std::nullopt;
};

/// Carries the bytes between a device's host end and the guest side, both ways with backpressure, until one of the two
/// ends or stop() is called. All functions belong to the thread that runs the executor.
class HostCarrier {
 public:
  /// `host` and `guest` must outlive run().
  HostCarrier(const asio::any_io_executor& executor, usbredir::HostEnd& host, GuestSide& guest, CarrierOptions options);
  ~HostCarrier();
  HostCarrier(const HostCarrier&) = delete;
  HostCarrier& operator=(const HostCarrier&) = delete;

  /// Runs until the end. When it returns, the device has been taken from the guest and the connection is closed.
  asio::awaitable<CarrierEnd> run();

  /// Takes the device from the guest in an orderly way. Idempotent.
  void stop();

  /// The connection is gone, as somebody else knows. Ends what waits for the device.
  void lose(const Error& error);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with wake-ups under way
};

}  // namespace usbloop::bridge
