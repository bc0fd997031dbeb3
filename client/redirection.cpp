#include "client/redirection.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "client/exit_status.h"
#include "client/translation/translated_host.h"
#include "common/log.h"
#include "common/short_slices.h"
#include "common/shown_text.h"

namespace usbloop::client {

Redirection::Redirection(kube::ClusterAccess access, Target target, std::unique_ptr<DeviceSource> device,
                         RedirectionOptions options, RedirectionHooks hooks)
    : access_(std::move(access)),
      target_(std::move(target)),
      device_(std::move(device)),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      backoff_(options_.backoff) {
  note_device();
}

int Redirection::run() {
  std::exception_ptr failure;
  asio::co_spawn(loop_, redirect(), [&](std::exception_ptr error, int status) {
    failure = error;
    status_ = status;
  });
  ask_for_short_slices();
  loop_.run();
  if (!failure) return status_;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& exception) {
    const Error error{ErrorKind::internal, "go on", "", exception.what()};
    return end(Happening::ended_internal, text_of(error), kExitFailed);
  }
}

void Redirection::stop() {
  asked_to_stop_.request_stop();
  {
    const std::lock_guard lock(holding_mutex_);
    if (!holding_) {
      status_ = is_lost_ ? end(Happening::ended_connection_lost, "The connection was lost.", kExitFailed)
                         : end(Happening::ended_stopped, "", kExitAsAsked);
      hooks_.leave(status_);
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
  if (options_.wait && options_.wait->count() > 0) {
    wait_until_ = std::chrono::steady_clock::now() + *options_.wait;
  }
  tell(Happening::connecting);
  while (true) {
    const Attempt tried = co_await attempt();
    if (stopped()) {
      co_return end(Happening::ended_stopped, "Stopped; the device is back.", kExitAsAsked);
    }
    queued_ = queued_ || (options_.wait && tried.refusal && is_busy(*tried.refusal));
    const bool goes_on = redirected_ ? !options_.once : queued_ && !waited_enough();
    if (!goes_on) co_return report(tried);
    if (const auto status = judge(tried)) co_return *status;
    const bool is_ready = co_await make_ready();
    if (!is_ready) co_return kExitAsAsked;
  }
}

asio::awaitable<Redirection::Attempt> Redirection::attempt() {
  const std::string path = target_.subresource_path();
  Attempt result;
  spdlog::debug("asking {} for a USB slot of {}", shown_lines(access_.url()), target_.label());
  auto opened =
      co_await websocket::connect(access_, path, options_.channel, options_.connect_timeout, way_to_measure());
  if (!opened) {
    result.not_connected = explain_connect_error(opened.error(), access_);
  } else if (!opened->channel) {
    result.refusal = opened->refusal;
  } else {
    result = co_await run_session(*opened->channel, opened->round_trip);
  }
  co_return result;
}

/// The way is measured where it decides.
Redirection::RoundTrip Redirection::way_to_measure() const {
  const bool decides = !translated_ && options_.transport == Transport::automatic && device_->may_be_translated();
  return decides ? RoundTrip(kLongWay) : std::nullopt;
}

/// The device's end, translated where that is asked for or worth it.
Result<std::unique_ptr<usbredir::HostEnd>> Redirection::take_device(RoundTrip round_trip) {
  // Decided once: a stick does not change its shape because a connection was lost.
  if (!translated_) {
    translated_ = is_translated(options_.transport, round_trip, device_->may_be_translated().has_value());
  }
  auto host = device_->take();
  if (!host || !*translated_) return host;
  spdlog::debug("the stick is shown as a UAS disk; {} us to the server and back",
                round_trip.value_or(std::chrono::microseconds{0}).count());
  return std::make_unique<TranslatedHost>(std::move(*host));
}

asio::awaitable<Redirection::Attempt> Redirection::run_session(websocket::Channel& channel, RoundTrip round_trip) {
  Attempt result;
  if (!hold()) co_return result;
  spdlog::debug("the websocket is open; the device is taken, and the guest's hello waited for");
  auto host = take_device(round_trip);
  if (!host) {
    const std::string no_reason;
    co_await channel.close(1000, no_reason);
    result.not_taken = host.error();
  } else {
    auto device = metered(std::move(*host), traffic_);
    SessionOptions options = options_.session;
    options.on_announced = [this, &device] { announced(device->device()); };
    session_.emplace(loop_.get_executor(), *device, channel, std::move(options));
    result.end = co_await session_->run();
    session_.reset();
    result.device = device->state();
    device.reset();  // the device is back before anything is said
    session_over();
  }
  release();
  co_return result;
}

/// The queue for a slot has an end.
bool Redirection::waited_enough() const { return std::chrono::steady_clock::now() >= wait_until_; }

asio::awaitable<void> Redirection::pause() {
  asio::steady_timer timer(loop_);
  const auto next = std::chrono::steady_clock::now() + backoff_.next();
  timer.expires_at(redirected_ ? next : std::min(next, wait_until_));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace usbloop::client
