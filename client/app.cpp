#include "client/app.h"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <stop_token>

#include "client/device_source.h"
#include "client/give_back.h"
#include "client/messages.h"
#include "client/options.h"
#include "client/session.h"
#include "client/stop_signal.h"
#include "client/usb_device.h"
#include "client/vmi_state.h"
#include "common/kube/kubeconfig.h"
#include "common/log.h"
#include "common/shown_text.h"
#include "common/websocket/connect.h"

namespace usbloop::client {

namespace {

constexpr std::chrono::seconds kConnectTimeout{15};
constexpr int kEnded = 0;
constexpr int kFailed = 1;

/// Writes a text in one piece, so that a reader of the log never sees half a line. All that the program says goes
/// through here, so no foreign text steers the terminal.
void say(const std::string& lines) { std::cerr << shown_lines(lines) + "\n" << std::flush; }

int fail(const Error& error) {
  say(text_of(error));
  return kFailed;
}

int list_devices() {
  const auto devices = UsbDevices::list();
  if (!devices) return fail(devices.error());
  std::cout << shown_lines(device_table(devices->all()));
  return kEnded;
}

int give_device_back(const Options& options) {
  const bool is_guard = options.after > 0;
  if (is_guard) wait_for_end_of(options.after);
  const auto said = give_back(*options.selector, is_guard);
  if (!said) return fail(said.error());
  std::cout << shown_lines(*said) << std::endl;
  return kEnded;
}

/// One redirection, from the open device to its end.
class Redirection {
 public:
  Redirection(const kube::ClusterAccess& access, Target target, DeviceSource device)
      : access_(access), target_(std::move(target)), device_(std::move(device)) {}

  int run() {
    std::exception_ptr failure;
    asio::co_spawn(loop_, redirect(), [&](std::exception_ptr error, int status) {
      failure = error;
      status_ = status;
    });
    const StopSignal signals([this] {
      asked_to_stop_.request_stop();
      asio::post(loop_, [this] { stop(); });
    });
    loop_.run();
    if (failure) std::rethrow_exception(failure);
    return status_;
  }

 private:
  void stop() {
    if (session_) {
      session_->stop();
    } else {
      // Nothing has been taken yet, so the process ends at once: unwinding could wait for a name server that does not
      // answer.
      std::cerr << std::flush;
      std::_Exit(kEnded);
    }
  }

  asio::awaitable<int> redirect() {
    const std::string path = target_.subresource_path();
    const websocket::ChannelOptions channel_options;
    auto opened = co_await websocket::connect(access_, path, channel_options, kConnectTimeout);
    if (!opened) co_return fail(explain_connect_error(opened.error(), access_));
    if (!opened->channel) co_return refused(opened->refusal);
    auto host = device_.take();
    if (!host) {
      const std::string no_reason;
      co_await opened->channel->close(1000, no_reason);
      co_return fail(host.error());
    }
    SessionOptions options;
    options.on_announced = [this, &device = (*host)->device()] {
      say("Redirecting " + device.label() + " to " + target_.label() + ". Press Ctrl-C to stop.");
    };
    session_.emplace(loop_.get_executor(), **host, *opened->channel, std::move(options));
    const SessionEnd end = co_await session_->run();
    host->reset();  // the device is back before anything is said
    co_return report(end);
  }

  int refused(const websocket::Refusal& refusal) const {
    say("Can't access VMI " + target_.name + ": " + refusal_message(refusal));
    if (const auto hint = refusal_hint(refusal, access_, target_); !hint.empty()) say(hint);
    return kFailed;
  }

  int report(const SessionEnd& end) const {
    switch (end.cause) {
      case SessionEnd::Cause::stopped: say("Stopped; the device is back."); return kEnded;
      case SessionEnd::Cause::closed:
        if (end.close.code == 1000) {
          say("The server closed the redirection in good order.");
          return kEnded;
        }
        break;
      case SessionEnd::Cause::device: return end.error ? fail(*end.error) : kEnded;
      case SessionEnd::Cause::not_served:
        return fail({ErrorKind::timeout, "redirect to", target_.label(),
                     "its USB slot was opened, but the virtual machine does not answer",
                     "Is it paused (kubectl get vmi " + target_.name + " -n " + target_.name_space +
                         ")? Then unpause it and try again."});
      case SessionEnd::Cause::lost: break;
    }
    say(far_end_message(end, target_, look_up_vmi(access_, target_, asked_to_stop_.get_token())));
    return kFailed;
  }

  const kube::ClusterAccess& access_;
  const Target target_;
  DeviceSource device_;
  asio::io_context loop_;
  std::stop_source asked_to_stop_;  ///< for what keeps the loop's thread
  std::optional<Session> session_;
  int status_ = kFailed;
};

int redirect(const Options& options) {
  auto device = open_device(options);
  if (!device) return fail(device.error());
  const auto access = kube::load_kubeconfig(kube::kubeconfig_paths(options.kubeconfig), options.context);
  if (!access) return fail(access.error());
  const Target target{options.vmi, options.name_space.empty() ? access->default_namespace : options.name_space};
  if (auto fine = check_namespace(target.name_space); !fine) return fail(fine.error());
  return Redirection(*access, target, std::move(*device)).run();
}

}  // namespace

int run_client(const std::string& argv0, const std::vector<std::string>& arguments, const std::string& version) {
  // An image that may not grow any more (RLIMIT_FSIZE) is a full disk: the write fails, and the guest is told.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const auto line = parse_command_line(display_name(argv0), arguments, version);
    if (!line.options) {
      (line.exit_status == 0 ? std::cout : std::cerr) << shown_lines(line.text) << std::endl;
      return line.exit_status;
    }
    const int verbosity = line.options->verbosity;
    const char* level = verbosity == 0 ? "warn" : verbosity == 1 ? "debug" : "trace";
    if (auto logging = init_logging("kubectl-usbredir", level); !logging) return fail(logging.error());
    if (line.options->list) return list_devices();
    return line.options->give_back ? give_device_back(*line.options) : redirect(*line.options);
  } catch (const std::exception& exception) {
    return fail({ErrorKind::internal, "go on", "", exception.what(), ""});
  }
}

}  // namespace usbloop::client
