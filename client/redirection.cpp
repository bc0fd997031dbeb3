#include "client/redirection.h"

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "client/exit_status.h"
#include "client/translated_host.h"
#include "common/log.h"
#include "common/shown_text.h"

namespace usbloop::client {

Redirection::Redirection(kube::ClusterAccess access, Target target, std::unique_ptr<DeviceSource> device,
                         RedirectionOptions options, RedirectionHooks hooks)
    : access_(std::move(access)),
      target_(std::move(target)),
      device_(std::move(device)),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      backoff_(options_.backoff) {}

int Redirection::run() {
  std::exception_ptr failure;
  asio::co_spawn(loop_, redirect(), [&](std::exception_ptr error, int status) {
    failure = error;
    status_ = status;
  });
  loop_.run();
  if (failure) std::rethrow_exception(failure);
  return status_;
}

void Redirection::stop() {
  asked_to_stop_.request_stop();
  {
    const std::lock_guard lock(holding_mutex_);
    if (!holding_) {
      hooks_.leave();
      status_ = kExitAsAsked;
      loop_.stop();
      return;
    }
  }
  asio::post(loop_, [this] {
    if (session_) session_->stop();
  });
}

/// False when we were asked to stop: the device must not be taken then.
bool Redirection::hold() {
  const std::lock_guard lock(holding_mutex_);
  if (stopped()) return false;
  holding_ = true;
  return true;
}

void Redirection::release() {
  const std::lock_guard lock(holding_mutex_);
  holding_ = false;
}

asio::awaitable<int> Redirection::redirect() {
  while (true) {
    const Attempt tried = co_await attempt();
    if (stopped()) {
      hooks_.say("Stopped; the device is back.");
      co_return kExitAsAsked;
    }
    if (options_.once || !redirected_) co_return report(tried);
    if (const auto status = judge(tried)) co_return *status;
    const bool is_ready = co_await make_ready();
    if (!is_ready) co_return kExitAsAsked;
  }
}

asio::awaitable<Redirection::Attempt> Redirection::attempt() {
  const std::string path = target_.subresource_path();
  Attempt result;
  spdlog::debug("asking {} for a USB slot of {}", shown_lines(access_.url()), target_.label());
  auto opened = co_await websocket::connect(access_, path, options_.channel, options_.connect_timeout);
  if (!opened) {
    result.not_connected = explain_connect_error(opened.error(), access_);
  } else if (!opened->channel) {
    result.refusal = opened->refusal;
  } else {
    result = co_await run_session(*opened->channel, opened->round_trip);
  }
  co_return result;
}

/// The device's end, translated where that is asked for or worth it.
Result<std::unique_ptr<usbredir::HostEnd>> Redirection::take_device(std::chrono::microseconds round_trip) {
  // Decided once: a stick does not change its shape because a connection was lost.
  if (!translated_) {
    translated_ = is_translated(options_.transport, round_trip, device_->may_be_translated().has_value());
  }
  auto host = device_->take();
  if (!host || !*translated_) return host;
  spdlog::debug("at most {} us to the server and back: the stick is shown as a UAS disk", round_trip.count());
  return std::make_unique<TranslatedHost>(std::move(*host));
}

asio::awaitable<Redirection::Attempt> Redirection::run_session(websocket::Channel& channel,
                                                               std::chrono::microseconds round_trip) {
  Attempt result;
  if (!hold()) co_return result;
  spdlog::debug("the websocket is open; the device is taken, and the guest's hello waited for");
  auto host = take_device(round_trip);
  if (!host) {
    const std::string no_reason;
    co_await channel.close(1000, no_reason);
    result.not_taken = host.error();
  } else {
    SessionOptions options = options_.session;
    options.on_announced = [this, end = host->get()] { announced(end->device()); };
    session_.emplace(loop_.get_executor(), **host, channel, std::move(options));
    result.end = co_await session_->run();
    session_.reset();
    result.device = (*host)->state();
    host->reset();  // the device is back before anything is said
  }
  release();
  co_return result;
}

void Redirection::announced(const usbredir::DeviceDescription& device) {
  hooks_.say("Redirecting " + device.label() + " to " + target_.label() +
             (redirected_ ? " again." : ". Press Ctrl-C to stop."));
  redirected_ = true;
  denied_ = false;
  said_.clear();
  announced_at_ = std::chrono::steady_clock::now();
}

asio::awaitable<void> Redirection::pause() {
  asio::steady_timer timer(loop_, backoff_.next());
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace usbloop::client
