#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <utility>

#include "bench/load/session.h"
#include "common/websocket/channel.h"
#include "common/websocket/connect.h"
#include "e2e/harness/failure.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using e2e::Failure;
template <typename T = void>
using SessionTask = asio::awaitable<T>;

constexpr std::chrono::seconds kCloseTime{2};

/// The client library as the client's program uses it: one loop, one thread, the packets copied into the channel's
/// buffer.
class ChannelSession final : public Session {
 public:
  ChannelSession(const kube::ClusterAccess& access, const std::string& path) {
    run([this, &access, &path]() -> SessionTask<> {
      const websocket::ChannelOptions options;
      auto opened = co_await websocket::connect(access, path, options, kConnectTime);
      if (!opened) throw Failure(opened.error().message());
      if (!opened->channel) {
        throw Failure("the server refused " + path + ": " + std::to_string(opened->refusal.status) + " " +
                      opened->refusal.body);
      }
      channel_ = std::move(opened->channel);
      const auto hello = client_hello();
      co_await send(hello);
      co_await receive(kHelloBytes);
    });
  }

  ~ChannelSession() override {
    try {
      run(
          [this]() -> SessionTask<> {
            const std::string no_reason;
            const auto closed = co_await channel_->close(1000, no_reason);
            if (!closed) co_return;
            while (true) {
              const auto bytes = co_await channel_->read();
              if (!bytes || bytes->empty()) co_return;
            }
          },
          kCloseTime);
    } catch (const Failure&) {  // it is over in any case
    }
    channel_.reset();
    loop_.restart();
    loop_.poll();  // the channel's own coroutine ends
  }

  std::vector<std::uint32_t> ping_pong(const PingPlan& plan) override {
    std::vector<std::uint32_t> times;
    times.reserve(plan.count);
    run([&]() -> SessionTask<> {
      const auto message = packet_of(plan.size, {Order::echo});
      for (std::size_t i = 0; i < plan.warm_up; ++i) co_await round_trip(message);
      const auto until = Clock::now() + plan.at_most;
      for (auto begin = Clock::now(); times.size() < plan.count && begin < until;) {
        co_await round_trip(message);
        const auto end = Clock::now();
        times.push_back(static_cast<std::uint32_t>((end - begin).count()));
        begin = end;
      }
    });
    return times;
  }

  double stream_up(std::size_t bytes, std::size_t packet) override {
    double seconds = 0;
    run([&]() -> SessionTask<> {
      const auto message = packet_of(packet, {Order::sink});
      const auto last = packet_of(packet, {Order::sink_ack});
      const auto begin = Clock::now();
      for (std::size_t sent = packet; sent < bytes; sent += packet) co_await send(message);
      co_await send(last);
      co_await receive(kShortPacket);
      seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    });
    return seconds;
  }

  double stream_down(std::size_t bytes, std::size_t packet) override {
    double seconds = 0;
    run([&]() -> SessionTask<> {
      const auto count = static_cast<std::uint32_t>(bytes / packet);
      const auto request = packet_of(kShortPacket, {Order::source, static_cast<std::uint32_t>(packet), count});
      const std::size_t expected = std::size_t{count} * packet;
      const auto begin = Clock::now();
      co_await send(request);
      co_await receive(expected);
      seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    });
    return seconds;
  }

 private:
  /// Runs the coroutine to its end. Its exceptions come out here; when nothing moves for too long the road is cut.
  void run(const std::function<SessionTask<>()>& work, std::chrono::seconds standstill = kStandstill) {
    std::exception_ptr failure;
    bool done = false;
    moved_ = true;
    asio::steady_timer watch(loop_);
    const std::function<void()> watch_on = [&] {
      watch.expires_after(standstill);
      watch.async_wait([&](const asio::error_code& code) {
        if (code || done) return;
        if (!std::exchange(moved_, false) && channel_) channel_->abort();
        watch_on();
      });
    };
    watch_on();
    asio::co_spawn(loop_, work, [&](const std::exception_ptr& error) {
      failure = error;
      done = true;
    });
    loop_.restart();
    while (!done) loop_.run_one();
    if (failure) std::rethrow_exception(failure);
  }

  SessionTask<> round_trip(const std::vector<std::byte>& message) {
    co_await send(message);
    co_await receive(message.size());
  }

  SessionTask<> send(const std::vector<std::byte>& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto room = channel_->write_buffer();
      const std::size_t count = std::min(room.size(), bytes.size() - sent);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(sent), count, room.begin());
      const auto written = co_await channel_->write(count);
      if (!written) throw Failure(written.error().message());
      sent += count;
    }
    moved_ = true;
  }

  SessionTask<> receive(std::size_t size) {
    while (size > 0) {
      const auto bytes = co_await channel_->read();
      if (!bytes) throw Failure(bytes.error().message());
      if (bytes->empty()) throw Failure("the road ended: " + std::to_string(channel_->close_info().code));
      if (bytes->size() > size) throw Failure("the peer sent too much");
      size -= bytes->size();
      moved_ = true;
    }
  }

  asio::io_context loop_{1};
  std::unique_ptr<websocket::Channel> channel_;
  bool moved_ = true;
};

}  // namespace

std::unique_ptr<Session> open_channel_session(const kube::ClusterAccess& access, const std::string& path) {
  return std::make_unique<ChannelSession>(access, path);
}

}  // namespace usbloop::bench
