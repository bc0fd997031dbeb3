#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "bench/load/session.h"
#include "bench/load/swarm.h"
#include "common/websocket/channel.h"
#include "common/websocket/connect.h"
#include "e2e/harness/failure.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using e2e::Failure;
using SwarmTask = asio::awaitable<void>;

constexpr std::size_t kGreedyPacket = 64 * 1024;

SwarmTask send(websocket::Channel& channel, const std::vector<std::byte>& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto room = channel.write_buffer();
    const std::size_t count = std::min(room.size(), bytes.size() - sent);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(sent), count, room.begin());
    const auto written = co_await channel.write(count);
    if (!written) throw Failure(written.error().message());
    sent += count;
  }
}

SwarmTask receive(websocket::Channel& channel, std::size_t size) {
  while (size > 0) {
    const auto bytes = co_await channel.read();
    if (!bytes) throw Failure(bytes.error().message());
    if (bytes->empty() || bytes->size() > size) throw Failure("a session broke");
    size -= bytes->size();
  }
}

class ChannelSwarm final : public Swarm {
 public:
  ChannelSwarm(const kube::ClusterAccess& access, std::function<std::string(std::size_t)> path_of)
      : access_(access), path_of_(std::move(path_of)) {}

  ~ChannelSwarm() override {
    channels_.clear();
    loop_.restart();
    loop_.poll();  // the channels' own coroutines end
  }

  std::vector<double> grow_to(std::size_t count) override {
    std::vector<double> times;
    spawn(open_until(count, times));
    wait(kStandstill + std::chrono::milliseconds(200) * static_cast<int>(count));
    return times;
  }

  Traffic run(const CrowdPlan& plan) override {
    Traffic traffic;
    const auto begin = Clock::now();
    until_ = begin + plan.time;
    for (std::size_t i = 0; i < plan.active; ++i) spawn(ping(*channels_[i], plan, i, traffic));
    if (plan.greedy) spawn(push(*channels_.back()));
    wait(plan.time + kStandstill);
    traffic.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return traffic;
  }

 private:
  void spawn(SwarmTask task) {
    ++running_;
    asio::co_spawn(loop_, std::move(task), [this](const std::exception_ptr& failure) {
      --running_;
      if (failure && !failure_) failure_ = failure;
    });
  }

  /// Until all that was spawned has ended; the first failure ends all.
  void wait(std::chrono::milliseconds limit) {
    const auto late = std::make_shared<bool>(false);  // the handler comes after this function's end
    asio::steady_timer timer(loop_, limit);
    timer.async_wait([late](const asio::error_code& code) { *late = !code; });
    loop_.restart();
    while (running_ > 0 && !*late && !failure_) loop_.run_one();
    if (!*late && !failure_) return;
    for (const auto& channel : channels_) channel->abort();
    while (running_ > 0) loop_.run_one();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    throw Failure("a session stands still");
  }

  SwarmTask open_until(std::size_t count, std::vector<double>& times) {
    const websocket::ChannelOptions options;
    const auto hello = client_hello();
    while (channels_.size() < count) {
      const auto begin = Clock::now();
      const std::string path = path_of_(channels_.size());
      auto opened = co_await websocket::connect(access_, path, options, kConnectTime);
      if (!opened) throw Failure(opened.error().message());
      if (!opened->channel) throw Failure("the server refused " + path + ": " + opened->refusal.body);
      channels_.push_back(std::move(opened->channel));
      co_await send(*channels_.back(), hello);
      co_await receive(*channels_.back(), kHelloBytes);
      times.push_back(microseconds(Clock::now() - begin) / 1000);
    }
  }

  SwarmTask ping(websocket::Channel& channel, CrowdPlan plan, std::size_t index, Traffic& traffic) {
    const auto message = packet_of(plan.bytes, {Order::echo});
    asio::steady_timer timer(loop_);
    // Quiet ones do not all speak at the same time.
    auto next = Clock::now() + plan.pause * index / std::max<std::size_t>(1, plan.active);
    while (Clock::now() < until_) {
      if (plan.pause.count() > 0) {
        timer.expires_at(next);
        asio::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        next += plan.pause;
      }
      const auto begin = Clock::now();
      co_await send(channel, message);
      co_await receive(channel, message.size());
      traffic.times_us.push_back(microseconds(Clock::now() - begin));
    }
  }

  SwarmTask push(websocket::Channel& channel) {
    const auto message = packet_of(kGreedyPacket, {Order::sink});
    const auto last = packet_of(kShortPacket, {Order::sink_ack});
    while (Clock::now() < until_) {
      co_await send(channel, message);
      // A greedy client in a process of its own would not hold up the others either.
      co_await asio::post(loop_, asio::use_awaitable);
    }
    co_await send(channel, last);
    co_await receive(channel, kShortPacket);
  }

  const kube::ClusterAccess& access_;
  const std::function<std::string(std::size_t)> path_of_;
  asio::io_context loop_{1};
  std::vector<std::unique_ptr<websocket::Channel>> channels_;
  Clock::time_point until_;
  std::size_t running_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

std::unique_ptr<Swarm> make_channel_swarm(const kube::ClusterAccess& access,
                                          std::function<std::string(std::size_t)> path_of) {
  return std::make_unique<ChannelSwarm>(access, std::move(path_of));
}

}  // namespace usbloop::bench
