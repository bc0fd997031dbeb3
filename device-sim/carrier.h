#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "common/error.h"
#include "common/net/stream.h"
#include "usbredir/host_end.h"

namespace usbloop::device_sim {

/// Carries the bytes between a usb-host end and a byte stream until one of them ends or stop() is called. Everything
/// belongs to the thread that runs the stream's executor.
class Carrier {
 public:
  /// Both must outlive run().
  Carrier(usbredir::HostEnd& host, net::Stream& stream);
  ~Carrier();
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  /// Success when stop() ended it; else why it ended. The device has been taken from the guest and the stream is
  /// closed.
  asio::awaitable<Result<>> run();

  /// Takes the device from the guest in an orderly way. Idempotent.
  void stop();

 private:
  asio::awaitable<void> read();
  asio::awaitable<void> write();
  asio::awaitable<void> finish();
  asio::awaitable<void> wait_for_change();
  void changed();
  bool write_now();
  void lose(Error error);
  void note_progress();

  usbredir::HostEnd& host_;
  net::Stream& stream_;
  struct Shared;
  std::shared_ptr<Shared> shared_;  ///< what wake-ups under way still refer to
  bool announced_ = false;
  bool over_ = false;  ///< the stream is lost
  int running_ = 0;    ///< read() and write()
  Error loss_;
};

}  // namespace usbloop::device_sim
