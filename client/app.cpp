#include "client/app.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <utility>

#include "client/completion.h"
#include "client/completion_answer.h"
#include "client/device_capture.h"
#include "client/device_list.h"
#include "client/device_question.h"
#include "client/device_source.h"
#include "client/device_watch.h"
#include "client/doctor.h"
#include "client/exit_status.h"
#include "client/give_back.h"
#include "client/messages.h"
#include "client/object_names.h"
#include "client/options.h"
#include "client/outside_redirection.h"
#include "client/redirection.h"
#include "client/stop_signal.h"
#include "client/usb_device.h"
#include "common/kube/kubeconfig.h"
#include "common/log.h"
#include "common/shown_text.h"
#include "device-sim/spec.h"

namespace usbloop::client {

namespace {

/// Writes a text in one piece, so that a reader of the log never sees half a line. All that the program says goes
/// through here, so no foreign text steers the terminal.
void say(const std::string& lines) { std::cerr << shown_lines(lines) + "\n" << std::flush; }

int fail(const Error& error) {
  say(text_of(error));
  return kExitFailed;
}

int list_devices(const Options& options) {
  if (options.watch) {
    const auto ended = watch_devices(options.list_format, std::cout);
    return fail(ended);
  }
  const auto devices = UsbDevices::list();
  if (!devices) return fail(devices.error());
  std::cout << shown_lines(render(look_at(devices->all()), options.list_format)) << std::flush;
  return kExitAsAsked;
}

bool on_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

/// The device that the options name, found and opened. A person at a terminal is asked which of several is meant.
Result<std::unique_ptr<DeviceSource>> find_device(const Options& options) {
  auto source = make_device_source(options);
  auto prepared = source->prepare();
  const bool is_ambiguous = !prepared && prepared.error().kind == ErrorKind::conflict && options.emulate.empty();
  if (is_ambiguous && on_terminal()) {
    const auto chosen = ask_which(*options.selector, std::cin, std::cerr);
    if (!chosen) return tl::unexpected(prepared.error());
    Options exact = options;
    exact.selector = *chosen;
    source = make_device_source(exact);
    prepared = source->prepare();
  }
  if (!prepared) return tl::unexpected(prepared.error());
  return source;
}

int give_device_back(const Options& options) {
  const bool is_guard = options.after > 0;
  if (is_guard) wait_for_end_of(options.after);
  const auto said = give_back(*options.selector, is_guard);
  if (!said) return fail(said.error());
  std::cout << shown_lines(*said) << std::endl;
  return kExitAsAsked;
}

/// Ends the process without unwinding.
[[noreturn]] void leave() {
  std::cerr << std::flush;
  std::_Exit(kExitAsAsked);
}

/// The kubeconfig with the command line over it; a proxy of the environment where it names none.
Result<kube::ClusterAccess> load_access(const Options& options) {
  auto access = kube::load_kubeconfig(kube::kubeconfig_paths(options.kubeconfig), options.context, options.overrides);
  if (!access || access->proxy) return access;
  auto proxy = kube::proxy_of_environment(access->tls, access->host, access->port);
  if (!proxy) return tl::unexpected(proxy.error());
  access->proxy = std::move(*proxy);
  return access;
}

int diagnose(const Options& options) {
  const auto diagnosis = examine(options, [&options] { return load_access(options); });
  std::cout << shown_lines(options.doctor_json ? render_json(diagnosis) : render_lines(diagnosis)) << std::flush;
  return diagnosis.is_healthy() ? kExitAsAsked : kExitFailed;
}

Result<Target> target_of(const Options& options, const kube::ClusterAccess& access) {
  Target target{options.vmi, options.name_space.empty() ? access.default_namespace : options.name_space};
  if (auto fine = check_namespace(target.name_space); !fine) return tl::unexpected(fine.error());
  return target;
}

/// Another program speaks usbredir for the device: --launch, --no-launch.
int redirect_outside(const Options& options) {
  auto access = load_access(options);
  if (!access) return fail(access.error());
  const auto target = target_of(options, *access);
  if (!target) return fail(target.error());
  OutsideOptions how;
  if (options.listen) how.listen = *options.listen;
  how.launch = options.launch;
  if (options.selector) how.device = to_string(*options.selector);
  if (options.request_timeout) how.connect_timeout = *options.request_timeout;
  const auto tell = [](const std::string& line) { std::cout << shown_lines(line) << std::endl; };
  OutsideRedirection redirection(std::move(*access), *target, std::move(how), {say, tell, leave});
  const StopSignal signals([&] { redirection.stop(); });
  return redirection.run();
}

int redirect(const Options& options) {
  auto device = find_device(options);
  if (!device) {
    // A description that says nothing sensible is part of the command line.
    const bool is_usage = device.error().operation == device_sim::kEmulateOperation;
    const int failed = fail(device.error());
    return is_usage ? kExitUsage : failed;
  }
  if (options.transport == Transport::uas) {
    if (const auto fits = (*device)->may_be_translated(); !fits) return fail(fits.error());
  }
  const auto load = [&options] { return load_access(options); };
  auto access = load();
  if (!access) return fail(access.error());
  const auto target = target_of(options, *access);
  if (!target) return fail(target.error());
  auto capture = DeviceCapture::begin(options, say);
  if (!capture) return fail(capture.error());
  if (options.verbosity > 1) *device = explain_device(std::move(*device));
  if (*capture) *device = (*capture)->wrap(std::move(*device));
  const auto end_and_leave = [&capture] {
    if (*capture) (*capture)->end();
    leave();
  };
  RedirectionOptions how;
  how.once = options.once;
  how.transport = options.transport;
  if (options.request_timeout) how.connect_timeout = *options.request_timeout;
  Redirection redirection(std::move(*access), *target, std::move(*device), std::move(how), {say, load, end_and_leave});
  const StopSignal signals([&] { redirection.stop(); });
  return redirection.run();
}

}  // namespace

int run_client(const std::string& argv0, std::vector<std::string> arguments, const std::string& version) {
  // kubectl asks a program of this name for the words of its plugin.
  const bool for_kubectl = display_name(argv0) == "kubectl_complete-usbredir";
  if (for_kubectl) arguments.insert(arguments.begin(), "__complete");
  // An image that may not grow any more (RLIMIT_FSIZE) is a full disk: the write fails, and the guest is told.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const auto line = parse_command_line(for_kubectl ? "kubectl usbredir" : display_name(argv0), arguments, version);
    if (line.completion || line.is_data) {
      const auto words = line.completion ? look_up_words(*line.completion, load_access) : std::vector<CompletionWord>{};
      std::cout << (line.completion ? completion_text(*line.completion, words) : line.text) << std::flush;
      return kExitAsAsked;
    }
    if (!line.options) {
      (line.exit_status == 0 ? std::cout : std::cerr) << shown_lines(line.text) << std::endl;
      return line.exit_status;
    }
    const int verbosity = line.options->verbosity;
    const char* level = verbosity == 0 ? "warn" : verbosity == 1 ? "debug" : "trace";
    if (auto logging = init_logging("kubectl-usbredir", level); !logging) return fail(logging.error());
    if (line.options->list) return list_devices(*line.options);
    if (line.options->doctor) return diagnose(*line.options);
    if (!line.options->launch.empty() || line.options->listen) return redirect_outside(*line.options);
    return line.options->give_back ? give_device_back(*line.options) : redirect(*line.options);
  } catch (const std::exception& exception) {
    return fail({ErrorKind::internal, "go on", "", exception.what(), ""});
  }
}

}  // namespace usbloop::client
