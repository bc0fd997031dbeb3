#include "bridge/bridge.h"

#include <asio/experimental/awaitable_operators.hpp>
#include <optional>

#include "common/net/deadline.h"

namespace usbloop::bridge {
namespace {

using net::IoResult;
using net::IoStatus;

/// How long a client may take to close its side after the device has gone.
constexpr std::chrono::milliseconds kLastWord{1000};

/// RFC 6455, 7.4.1: the endpoint has received a message that violates its policy.
constexpr std::uint16_t kPolicyViolation = 1008;

/// How long one side's last bytes may take to reach the other side, once the first side takes none itself any more.
constexpr std::chrono::milliseconds kLastBytes{3000};

/// Passes the client's bytes on until the client ends, sends what is no usbredir stream, or the device cannot be
/// written to.
asio::awaitable<void> client_to_device(Ends& ends, std::optional<net::Deadline>& last_bytes) {
  while (true) {
    const auto payload = co_await ends.channel.read();
    if (!payload || payload->empty()) {
      // Closing a socket with unread bytes resets the connection, and a Close 1002 on its way would be lost.
      const bool told_why = !payload && payload.error().kind == ErrorKind::protocol;
      ends.end_device();
      if (told_why) co_await ends.channel.drain();
      co_return;
    }
    const Result<> fine = ends.guard == nullptr ? Result<>{} : ends.guard->pass(*payload);
    if (!fine) {
      ends.end_device();
      const std::string reason = "not a usbredir stream: " + fine.error().cause;
      static_cast<void>(co_await ends.channel.close(kPolicyViolation, reason));
      co_await ends.channel.drain();
      co_return;
    }
    // The device nearly always takes it all, and then no coroutine need be made.
    const IoResult put = ends.device.try_write(*payload);
    const std::size_t taken = put.status == IoStatus::ok ? put.bytes : 0;
    if (taken < payload->size()) {
      const auto rest = payload->subspan(taken);
      const auto written = co_await ends.device.write_all(rest);
      if (!written) break;
    }
    ends.traffic.to_device.fetch_add(payload->size(), std::memory_order_relaxed);
  }
  // The device takes no more. What it had sent before is passed on until its end.
  last_bytes.emplace(ends.device.socket().get_executor(), kLastBytes, [&ends] { ends.end_device(); });
  co_await ends.channel.drain();
  ends.end_device();
}

/// Passes on until the device ends. False when the client cannot be written to.
asio::awaitable<bool> pump_device(Ends& ends) {
  while (true) {
    if (ends.device.turn_is_over()) co_await ends.device.take_turns();
    const IoResult got = ends.device.try_read(ends.channel.write_buffer());
    if (got.status == IoStatus::ok) {
      if (!ends.channel.start_write(got.bytes)) {
        const auto written = co_await ends.channel.finish_write();
        if (!written) co_return false;
      }
      ends.traffic.to_client.fetch_add(got.bytes, std::memory_order_relaxed);
      continue;
    }
    ends.channel.release_write_buffer();
    if (got.status == IoStatus::end || got.status == IoStatus::failed) co_return true;
    const auto ready = co_await ends.device.wait(got.status);
    if (!ready) co_return true;
  }
}

asio::awaitable<void> device_to_client(Ends& ends, std::optional<net::Deadline>& last_word) {
  const auto executor = ends.device.socket().get_executor();
  const bool device_ended = co_await pump_device(ends);
  if (!device_ended) {
    // The client takes no more. What it had sent before is passed on until its end, which ends the device.
    last_word.emplace(executor, kLastBytes, [&ends] {
      ends.channel.abort();
      ends.end_device();
    });
    co_return;
  }
  ends.channel.end();
  ends.end_device();
  last_word.emplace(executor, kLastWord, [&channel = ends.channel] { channel.abort(); });
}

}  // namespace

asio::awaitable<void> run(Ends ends) {
  using asio::experimental::awaitable_operators::operator&&;
  std::optional<net::Deadline> last_word;
  std::optional<net::Deadline> last_bytes;
  // Both directions may be waiting for the device: for a guest that is paused.
  ends.channel.on_peer_gone([&ends](const Error&) { ends.end_device(); });
  co_await (client_to_device(ends, last_bytes) && device_to_client(ends, last_word));
  ends.channel.on_peer_gone(nullptr);
}

}  // namespace usbloop::bridge
