#include "device-sim/program/program.h"

#include <array>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "bridge/host_carrier.h"
#include "bridge/stream_side.h"
#include "common/log.h"
#include "common/net/listener.h"
#include "common/net/stream.h"
#include "common/shown_text.h"
#include "device-sim/desk/desk_host.h"
#include "device-sim/desk/desk_name.h"
#include "device-sim/kinds.h"
#include "device-sim/program/ctl_command.h"
#include "device-sim/program/desk_command.h"
#include "device-sim/program/options.h"
#include "device-sim/program/report.h"
#include "usbredir/capture/capture_flags.h"
#include "usbredir/capture/capturing_host.h"

namespace usbloop::device_sim {
namespace {

constexpr std::chrono::seconds kConnectTimeout{10};

/// The device's end of the stream: made here, or lent by a desk.
Result<std::unique_ptr<usbredir::HostEnd>> make_host(const Options& options, const std::string& program) {
  if (options.desk.empty()) return make_host_end(options.spec, options.device);
  auto desk = desk::DeskClient::connect(options.desk);
  if (!desk) return tl::unexpected(desk.error());
  const auto devices = desk->list();
  if (!devices) return tl::unexpected(devices.error());
  const auto device = desk::choose_on_desk(*devices, options.wanted, false);
  if (!device) return tl::unexpected(device.error());
  return desk::take_from_desk(std::move(*desk), device->name, program);
}

/// The capture that the options ask for; null when they ask for none.
Result<std::unique_ptr<capture::CaptureFile>> begin_capture(capture::CaptureOptions options, std::string application) {
  if (options.path.empty()) return std::unique_ptr<capture::CaptureFile>();
  options.application = std::move(application);
  return capture::CaptureFile::create(options, [](const Error& error) { say(capture::trouble_text(error)); });
}

void end_capture(capture::CaptureFile& file, const std::filesystem::path& path) {
  constexpr std::chrono::seconds kPatience{2};
  file.close(kPatience);
  if (const auto missing = capture::loss_text(file.counts(), path); !missing.empty()) say(missing);
}

/// Success when stop() ended it; else why it ended.
Result<> outcome_of(const bridge::CarrierEnd& end, const usbredir::HostEnd& host) {
  using Cause = bridge::CarrierEnd::Cause;
  if (end.cause == Cause::stopped || end.cause == Cause::device) return host.outcome();
  if (end.error) return tl::unexpected(*end.error);
  return make_error(ErrorKind::unavailable, "go on", "", "the guest side has ended the redirection");
}

/// One redirection, from the connection to its end.
class Run {
 public:
  Run(asio::io_context& loop, const Options& options, usbredir::HostEnd& host)
      : loop_(loop), options_(options), host_(host), signals_(loop, SIGINT, SIGTERM) {}
  ~Run() { host_.set_wake(nullptr); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Result<> operator()() {
    signals_.async_wait([this](const asio::error_code& code, int) {
      if (!code) stop();
    });
    Result<> result;
    asio::co_spawn(loop_, redirect(), [&](const std::exception_ptr& thrown, Result<> outcome) {
      if (thrown) std::rethrow_exception(thrown);
      result = std::move(outcome);
      signals_.cancel();
    });
    loop_.run();
    if (stopped_ && (!result || !carrier_)) {
      // Asked to stop: the end of a connection that was not there yet, or was ending, is no failure. Lost data is.
      const auto outcome = is_final(host_.state()) ? host_.outcome() : Result<>();
      return outcome;
    }
    return result;
  }

 private:
  void stop() {
    stopped_ = true;
    if (carrier_) {
      carrier_->stop();
    } else {
      loop_.stop();  // still connecting or listening: nothing to give back
    }
  }

  asio::awaitable<Result<net::StreamPtr>> connect() {
    if (options_.as) co_return co_await accept();
    if (options_.to->is_unix()) co_return net::connect_unix(loop_.get_executor(), options_.to->path);
    co_return co_await net::connect_tcp(options_.to->host, options_.to->port, kConnectTimeout);
  }

  asio::awaitable<Result<net::StreamPtr>> accept() {
    auto listener = co_await net::Listener::open(*options_.as, net::Listener::For::everybody);
    if (!listener) co_return tl::unexpected(listener.error());
    say("Listening on " + (*listener)->address().text());
    auto stream = co_await accept_while_there(**listener);
    asio::error_code ignored;  // a unix socket has no such option that does anything
    if (stream && options_.keepalive) (*stream)->socket().set_option(asio::socket_base::keep_alive(true), ignored);
    co_return stream;
  }

  /// The device may be pulled out, and its desk may end, before anybody has connected.
  asio::awaitable<Result<net::StreamPtr>> accept_while_there(net::Listener& listener) {
    const auto look = [this, &listener] {
      host_.look();
      if (is_final(host_.state())) listener.close();
    };
    host_.set_wake([this, look] { asio::post(loop_, look); });
    look();
    auto stream = co_await listener.accept();
    host_.set_wake(nullptr);
    co_await asio::post(loop_, asio::use_awaitable);  // behind the looks that were scheduled before
    if (is_final(host_.state())) {
      if (auto outcome = host_.outcome(); !outcome) co_return tl::unexpected(outcome.error());
    }
    co_return stream;
  }

  asio::awaitable<Result<>> redirect() {
    auto stream = co_await connect();
    if (!stream) co_return tl::unexpected(stream.error());
    stream_ = std::move(*stream);
    side_.emplace(*stream_);
    bridge::CarrierOptions options;
    options.on_announced = [this] { spdlog::info("{} is announced to the guest side", host_.device().label()); };
    carrier_.emplace(loop_.get_executor(), host_, *side_, std::move(options));
    const bridge::CarrierEnd end = co_await carrier_->run();
    co_return outcome_of(end, host_);
  }

  asio::io_context& loop_;
  const Options& options_;
  usbredir::HostEnd& host_;
  asio::signal_set signals_;
  net::StreamPtr stream_;
  std::optional<bridge::StreamSide> side_;
  std::optional<bridge::HostCarrier> carrier_;
  bool stopped_ = false;
};

}  // namespace

int run_program(const std::string& path, const std::vector<std::string>& arguments, const std::string& version) try {
  const std::string program = std::filesystem::path(path).filename().string();
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (!arguments.empty() && arguments.front() == "desk") return run_desk(program + " desk", rest);
  if (!arguments.empty() && arguments.front() == "ctl") return run_ctl(program + " ctl", rest);
  const char* const variable = std::getenv("USBLOOP_EMULATE");
  const char* const desk = std::getenv(desk::kDeskVariable);
  const auto line = parse_command_line(program, arguments, version,
                                       variable != nullptr ? std::optional<std::string>(variable) : std::nullopt,
                                       desk != nullptr ? std::optional<std::string>(desk) : std::nullopt);
  if (!line.options) {
    std::fputs(line.text.c_str(), line.exit_code == 0 ? stdout : stderr);
    return line.exit_code;
  }
  const Options& options = *line.options;
  if (const auto ready = init_logging(program, log_level(options.verbosity)); !ready)
    return report(program, ready.error());
  std::signal(SIGPIPE, SIG_IGN);
  // An image that may not grow any more (RLIMIT_FSIZE) is a full disk: the write fails, and the guest is told.
  std::signal(SIGXFSZ, SIG_IGN);

  auto host = make_host(options, program);
  if (!host) {
    (void)report(program, host.error());
    return host.error().kind == ErrorKind::invalid && host.error().operation == "emulate" ? 2 : 1;
  }
  auto capture = begin_capture(options.capture, program + " " + version);
  if (!capture) return report(program, capture.error());
  constexpr int kEachTransfer = 5;
  if (options.verbosity >= kEachTransfer) *host = capture::explain_host(std::move(*host));
  if (*capture) *host = capture::capture_host(std::move(*host), **capture);
  asio::io_context loop(1);
  const auto result = Run(loop, options, **host)();
  host->reset();
  if (*capture) end_capture(**capture, options.capture.path);
  return result ? 0 : report(program, result.error());
} catch (const std::exception& error) {
  say(path + ": " + error.what());
  return 1;
}

}  // namespace usbloop::device_sim
