#pragma once

#include <vector>

#include "bridge/host_carrier.h"
#include "common/net/stream.h"

namespace usbloop::bridge {

/// The guest side on a bare byte stream, as QEMU's usbredir sockets are.
class StreamSide final : public GuestSide {
 public:
  /// `stream` must outlive it.
  explicit StreamSide(net::Stream& stream);

  asio::awaitable<Result<std::span<const std::byte>>> read() override;
  [[nodiscard]] bool start_sending(usbredir::HostEnd& host) override;
  asio::awaitable<Result<>> finish_sending() override;
  asio::awaitable<void> say_goodbye(bool broken) override;
  void abort() override;

 private:
  net::Stream& stream_;
  std::vector<std::byte> buffer_;
  net::IoResult blocked_;  ///< why start_sending() could not go on
};

}  // namespace usbloop::bridge
