#include "launcher-sim/bridge.h"

#include <asio/experimental/awaitable_operators.hpp>
#include <optional>

#include "common/net/deadline.h"

namespace usbloop::launcher {
namespace {

using net::IoResult;
using net::IoStatus;

/// How long a client may take to close its side after the device has gone.
constexpr std::chrono::milliseconds kLastWord{1000};

/// RFC 6455, 7.4.1: the endpoint has received a message that violates its policy.
constexpr std::uint16_t kPolicyViolation = 1008;

/// Reads what the client still sends: a socket that is closed with bytes unread resets the connection, and the Close
/// frame on its way to the client is lost. Ends with the client or at the last word.
asio::awaitable<void> drop_the_rest(websocket::Channel& channel) {
  while (true) {
    const auto payload = co_await channel.read();
    if (!payload || payload->empty()) co_return;
  }
}

/// Until the client ends, sends what is no usbredir stream, or writing to the device fails.
asio::awaitable<void> client_to_device(websocket::Channel& channel, net::Stream& device, StreamGuard* guard) {
  while (true) {
    const auto payload = co_await channel.read();
    if (!payload || payload->empty()) break;
    const Result<> fine = guard == nullptr ? Result<>{} : guard->pass(*payload);
    if (!fine) {
      device.close();
      const std::string reason = "not a usbredir stream: " + fine.error().cause;
      static_cast<void>(co_await channel.close(kPolicyViolation, reason));
      co_await drop_the_rest(channel);
      co_return;
    }
    const auto written = co_await device.write_all(*payload);
    if (!written) break;
  }
  device.close();
}

/// Passes on until the device ends. False when the client cannot be written to.
asio::awaitable<bool> pump_device(websocket::Channel& channel, net::Stream& device) {
  while (true) {
    co_await device.take_turns();
    const IoResult got = device.try_read(channel.write_buffer());
    if (got.status == IoStatus::ok) {
      const auto written = co_await channel.write(got.bytes);
      if (!written) co_return false;
      continue;
    }
    channel.release_write_buffer();
    if (got.status == IoStatus::end || got.status == IoStatus::failed) co_return true;
    const auto ready = co_await device.wait(got.status);
    if (!ready) co_return true;
  }
}

}  // namespace

asio::awaitable<void> bridge(websocket::Channel& channel, net::Stream& device, StreamGuard* guard) {
  using asio::experimental::awaitable_operators::operator&&;
  std::optional<net::Deadline> last_word;
  const auto device_to_client = [&]() -> asio::awaitable<void> {
    const bool device_ended = co_await pump_device(channel, device);
    if (device_ended) {
      channel.end();
    } else {
      channel.abort();
    }
    device.close();
    last_word.emplace(device.socket().get_executor(), kLastWord, [&channel] { channel.abort(); });
  };
  co_await (client_to_device(channel, device, guard) && device_to_client());
}

}  // namespace usbloop::launcher
