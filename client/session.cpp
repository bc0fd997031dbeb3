#include "client/session.h"

#include <algorithm>
#include <utility>

#include "bridge/host_carrier.h"

namespace usbloop::client {
namespace {

/// The guest side at the far end of a websocket.
class ChannelSide final : public bridge::GuestSide {
 public:
  explicit ChannelSide(websocket::Channel& channel) : channel_(channel) {}

  asio::awaitable<Result<std::span<const std::byte>>> read() override { return channel_.read(); }

  /// One message with as much of the output as fits, as far as the socket takes it.
  [[nodiscard]] bool start_sending(usbredir::HostEnd& host) override {
    const auto room = channel_.write_buffer();
    std::size_t used = 0;
    while (used < room.size()) {
      const auto bytes = host.pending();
      if (bytes.empty()) break;
      const auto count = std::min(bytes.size(), room.size() - used);
      std::copy_n(bytes.begin(), count, room.begin() + static_cast<std::ptrdiff_t>(used));
      host.consume(count);
      used += count;
    }
    return channel_.start_write(used);
  }

  asio::awaitable<Result<>> finish_sending() override { return channel_.finish_write(); }

  asio::awaitable<void> say_goodbye(bool broken) override {
    const std::uint16_t code = broken ? 1002 : 1000;
    const std::string reason = broken ? "usbredir protocol error" : "";
    static_cast<void>(co_await channel_.close(code, reason));  // an error: the peer has gone first
  }

  void abort() override { channel_.abort(); }

 private:
  websocket::Channel& channel_;
};

bridge::CarrierOptions carrier_options(SessionOptions options) {
  bridge::CarrierOptions result;
  result.hello_timeout = options.hello_timeout;
  result.close_timeout = options.close_timeout;
  result.on_announced = std::move(options.on_announced);
  return result;
}

SessionEnd session_end(const bridge::CarrierEnd& end, const websocket::CloseInfo& close) {
  using From = bridge::CarrierEnd::Cause;
  using Cause = SessionEnd::Cause;
  switch (end.cause) {
    case From::stopped: return {Cause::stopped, {}, {}};
    case From::peer_ended: return {close.code != 1006 ? Cause::closed : Cause::lost, close, {}};
    case From::device: return {Cause::device, {}, end.error};
    case From::not_served: return {Cause::not_served, {}, {}};
    case From::lost: break;
  }
  return {Cause::lost, {}, end.error};
}

}  // namespace

class Session::Impl : public std::enable_shared_from_this<Session::Impl> {
 public:
  Impl(const asio::any_io_executor& executor, usbredir::HostEnd& host, websocket::Channel& channel,
       SessionOptions options)
      : channel_(channel), side_(channel), carrier_(executor, host, side_, carrier_options(std::move(options))) {}

  asio::awaitable<SessionEnd> run() {
    // Both directions may be waiting for the device.
    channel_.on_peer_gone([weak = weak_from_this()](const Error& error) {
      if (const auto self = weak.lock()) self->carrier_.lose(error);
    });
    const bridge::CarrierEnd end = co_await carrier_.run();
    co_return session_end(end, channel_.close_info());
  }

  void stop() { carrier_.stop(); }

 private:
  websocket::Channel& channel_;
  ChannelSide side_;
  bridge::HostCarrier carrier_;
};

Session::Session(const asio::any_io_executor& executor, usbredir::HostEnd& host, websocket::Channel& channel,
                 SessionOptions options)
    : impl_(std::make_shared<Impl>(executor, host, channel, std::move(options))) {}

Session::~Session() = default;

asio::awaitable<SessionEnd> Session::run() { return impl_->run(); }

void Session::stop() { impl_->stop(); }

}  // namespace usbloop::client
