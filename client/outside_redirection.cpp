#include "client/outside_redirection.h"

#include <asio/co_spawn.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>
#include <exception>
#include <filesystem>
#include <utility>

#include "client/exit_status.h"
#include "client/vmi_state.h"
#include "common/log.h"

namespace usbloop::client {

OutsideRedirection::OutsideRedirection(kube::ClusterAccess access, Target target, OutsideOptions options,
                                       OutsideHooks hooks)
    : access_(std::move(access)), target_(std::move(target)), options_(std::move(options)), hooks_(std::move(hooks)) {}

int OutsideRedirection::run() {
  if (!options_.launch.empty()) {
    // Before a server is asked: a slot is not taken for nothing.
    if (auto found = find_program(options_.launch); !found) {
      found.error().hint = "It comes with the package usbredirect; without --launch it is not needed.";
      return fail(found.error());
    }
  }
  std::exception_ptr failure;
  int status = kExitAsAsked;
  asio::co_spawn(loop_, redirect(), [&](std::exception_ptr error, int result) {
    failure = error;
    status = result;
  });
  loop_.run();
  if (failure) std::rethrow_exception(failure);
  return status;
}

void OutsideRedirection::stop() {
  asked_to_stop_.request_stop();
  asio::post(loop_, [this] {
    if (session_) {
      session_->stop();
    } else {
      hooks_.leave(status_when_left_);
      loop_.stop();
    }
  });
}

asio::awaitable<int> OutsideRedirection::redirect() {
  spdlog::debug("asking {} for a USB slot of {}", access_.url(), target_.label());
  const std::string path = target_.subresource_path();
  auto opened = co_await websocket::connect(access_, path, options_.channel, options_.connect_timeout);
  if (!opened) co_return fail(explain_connect_error(opened.error(), access_));
  if (!opened->channel) {
    hooks_.say("Can't access VMI " + target_.name + ": " + refusal_message(opened->refusal));
    if (const auto hint = refusal_hint(opened->refusal, access_, target_); !hint.empty()) hooks_.say(hint);
    co_return kExitFailed;
  }
  const auto listener = co_await net::Listener::open(options_.listen, net::Listener::For::us);
  if (!listener) {
    const std::string no_reason;
    co_await opened->channel->close(1000, no_reason);
    co_return fail(listener.error());
  }
  const SessionEnd end = co_await serve(*opened->channel, **listener);
  co_return report(end);
}

/// The session, and the program that was started for it; returns when both have ended.
asio::awaitable<SessionEnd> OutsideRedirection::serve(websocket::Channel& channel, net::Listener& listener) {
  using asio::experimental::awaitable_operators::operator&&;
  session_.emplace(loop_.get_executor(), channel, listener);
  std::optional<SessionEnd> end;
  const auto session = [this, &end]() -> asio::awaitable<void> {
    end = co_await session_->run([this] { connected(); });
    if (program_) program_->stop();
  };
  const std::string address = listener.address().text();
  if (options_.launch.empty()) {
    hooks_.tell("User can connect usbredir client at: " + address);  // virtctl's line
    co_await session();
  } else {
    co_await (session() && run_program(address));
  }
  session_.reset();
  co_return *end;
}

asio::awaitable<void> OutsideRedirection::run_program(const std::string& address) {
  const std::string name = program_name();
  spdlog::debug("starting {} --device {} --to {}", options_.launch, options_.device, address);
  auto started =
      LaunchedProgram::start(loop_.get_executor(), {options_.launch, "--device", options_.device, "--to", address},
                             [this, name](const std::string& line) { hooks_.say(name + ": " + line); });
  if (!started) {
    session_->fail(started.error());
    co_return;
  }
  program_ = std::move(*started);
  const net::Deadline deadline(loop_.get_executor(), options_.launch_timeout, [this] {
    if (session_->is_connected()) return;
    session_->fail({ErrorKind::timeout, "launch", options_.launch, "it has not connected to us in time", ""});
  });
  const ExitStatus status = co_await program_->run();
  spdlog::debug("{} has ended: {}", options_.launch, status.text());
  if (!session_->is_connected()) session_->fail(ended_early(status));
  program_.reset();
}

void OutsideRedirection::connected() {
  const std::string what = options_.launch.empty() ? "its device" : options_.device;
  const std::string who = options_.launch.empty() ? "the program that has connected" : program_name();
  hooks_.say("Redirecting " + what + " to " + target_.label() + " by " + who + ". Press Ctrl-C to stop.");
}

std::string OutsideRedirection::program_name() const { return std::filesystem::path(options_.launch).filename(); }

/// usbredirect ends with 0 when it finds no device.
Error OutsideRedirection::ended_early(const ExitStatus& status) const {
  return {ErrorKind::not_found, "launch", options_.launch,
          "it has ended (" + status.text() + ") before it connected to us",
          "What it said stands above, if it said why. Is the device " + options_.device +
              " plugged in, and may you open it? kubectl usbredir list -o wide tells."};
}

int OutsideRedirection::fail(const Error& error) {
  hooks_.say(text_of(error));
  return kExitFailed;
}

int OutsideRedirection::report(const SessionEnd& end) {
  if (asked_to_stop_.stop_requested()) {
    hooks_.say("Stopped.");
    return kExitAsAsked;
  }
  if (end.cause == SessionEnd::Cause::device) return fail(*end.error);
  if (end.cause == SessionEnd::Cause::closed && end.close.code == 1000) {
    hooks_.say("The server closed the redirection in good order.");
    return kExitAsAsked;
  }
  status_when_left_ = kExitFailed;  // also if we are asked to stop while the reason is looked up
  hooks_.say(far_end_message(end, target_, look_up_vmi(access_, target_, asked_to_stop_.get_token())));
  return kExitFailed;
}

}  // namespace usbloop::client
