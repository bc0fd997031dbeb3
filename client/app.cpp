#include "client/app.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <utility>

#include "client/completion.h"
#include "client/completion_answer.h"
#include "client/console.h"
#include "client/desk_devices.h"
#include "client/device_capture.h"
#include "client/devices/device_list.h"
#include "client/devices/device_watch.h"
#include "client/devices/give_back.h"
#include "client/devices/usb_device.h"
#include "client/doctor.h"
#include "client/exit_status.h"
#include "client/find_devices.h"
#include "client/load_policy.h"
#include "client/messages.h"
#include "client/object_names.h"
#include "client/options.h"
#include "client/outside_redirection.h"
#include "client/redirection_group.h"
#include "client/reporter.h"
#include "client/stop_signal.h"
#include "common/kube/kubeconfig.h"
#include "common/log.h"
#include "common/shown_text.h"
#include "device-sim/desk/desk_name.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::client {

namespace {

int fail(Console& console, const Error& error) {
  console.say(text_of(error));
  return kExitFailed;
}

int list_devices(const Options& options, Console& console) {
  if (options.watch) {
    const auto ended = watch_devices(*sight_of(options.desk), options.list_format, std::cout);
    return fail(console, ended);
  }
  const auto devices = devices_of(options.desk);
  if (!devices) return fail(console, devices.error());
  std::cout << shown_lines(render(look_at(*devices), options.list_format)) << std::flush;
  return kExitAsAsked;
}

int give_device_back(const Options& options, Console& console) {
  const bool is_guard = options.after > 0;
  if (is_guard) wait_for_end_of(options.after);
  const auto said = give_back(options.selectors.front(), is_guard);
  if (!said) return fail(console, said.error());
  std::cout << shown_lines(*said) << std::endl;
  return kExitAsAsked;
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

/// The devices that another program is told to take are judged here, for it knows no rules of ours.
Result<> check_named(const Options& options, const DevicePolicy& policy) {
  const auto devices = devices_of(options.desk);
  if (!devices) return {};  // that program says so itself
  for (const auto& selector : options.selectors) {
    for (const auto index : matching_devices(*devices, selector)) {
      if (auto fine = policy.check((*devices)[index]); !fine) return fine;
    }
  }
  return {};
}

/// Another program speaks usbredir for the device: --launch, --no-launch.
int redirect_outside(const Options& options, Console& console) {
  // The program of --launch may be device-sim, which finds the desk there. Set before there is a second thread.
  if (!options.desk.empty()) ::setenv(desk::kDeskVariable, options.desk.c_str(), 1);
  const auto policy = load_policy(options);
  if (!policy) return fail(console, policy.error());
  if (auto fine = check_named(options, *policy); !fine) return fail(console, fine.error());
  auto access = load_access(options);
  if (!access) return fail(console, access.error());
  const auto target = target_of(options, *access);
  if (!target) return fail(console, target.error());
  OutsideOptions how;
  if (options.listen) how.listen = *options.listen;
  how.launch = options.launch;
  if (!options.selectors.empty()) how.device = to_string(options.selectors.front());
  if (options.request_timeout) how.connect_timeout = *options.request_timeout;
  const auto tell = [](const std::string& line) { std::cout << shown_lines(line) << std::endl; };
  OutsideRedirection redirection(
      std::move(*access), *target, std::move(how),
      {[&console](const std::string& lines) { console.say(lines); }, tell, [](int status) { std::_Exit(status); }});
  const StopSignal signals([&] { redirection.stop(); });
  return redirection.run();
}

Reporter::Form form_of(const Options& options) {
  if (options.events) return Reporter::Form::json;
  return options.status && can_draw() ? Reporter::Form::rows : Reporter::Form::lines;
}

int redirect(const Options& options, Console& console) {
  Reporter reporter(console, form_of(options), write_event);
  const auto fail_with = [&reporter](const Error& error, int status = kExitFailed) {
    reporter.fail(error, status);
    return status;
  };
  const auto policy = load_policy(options);
  if (!policy) return fail_with(policy.error());
  DeviceClaims claims;
  auto devices = find_devices(options, claims, *policy);
  if (!devices) {
    // A description that says nothing sensible is part of the command line, and so is a device that nobody names.
    const auto& operation = devices.error().operation;
    const bool is_usage = operation == device_sim::kEmulateOperation || operation == kNoDeviceNamed;
    return fail_with(devices.error(), is_usage ? kExitUsage : kExitFailed);
  }
  for (const auto& device : *devices) {
    if (options.transport != Transport::uas) break;
    if (const auto fits = device->may_be_translated(); !fits) return fail_with(fits.error());
  }
  const auto load = [&options] { return load_access(options); };
  auto access = load();
  if (!access) return fail_with(access.error());
  const auto target = target_of(options, *access);
  if (!target) return fail_with(target.error());
  const auto capture = DeviceCapture::begin(options, [&console](const std::string& lines) { console.say(lines); });
  if (!capture) return fail_with(capture.error());
  if (options.verbosity > 1) {
    for (auto& device : *devices) device = explain_device(std::move(device));
  }
  if (*capture) {
    for (auto& device : *devices) device = (*capture)->wrap(std::move(device));
  }
  RedirectionOptions how;
  how.once = options.once;
  how.wait = options.wait;
  how.transport = options.transport;
  if (options.request_timeout) how.connect_timeout = *options.request_timeout;
  const std::size_t count = devices->size();
  RedirectionGroup redirections(*access, *target, std::move(*devices), how,
                                {[&](std::size_t index, const Event& event) { reporter.tell(index, event); }, load,
                                 [&](int status) {
                                   if (*capture) (*capture)->end();
                                   reporter.end();
                                   std::_Exit(status);  // without unwinding, which could wait
                                 }});
  reporter.begin(count, [&] { return redirections.counters(); });
  const std::unique_ptr<Reporter, void (*)(Reporter*)> until_here(&reporter, [](Reporter* all) { all->end(); });
  const StopSignal signals([&] { redirections.stop(); });
  return redirections.run();
}

}  // namespace

int run_client(const std::string& argv0, std::vector<std::string> arguments, const std::string& version) {
  // kubectl asks a program of this name for the words of its plugin.
  const bool for_kubectl = display_name(argv0) == "kubectl_complete-usbredir";
  if (for_kubectl) arguments.insert(arguments.begin(), "__complete");
  // An image that may not grow any more (RLIMIT_FSIZE) is a full disk: the write fails, and the guest is told.
  std::signal(SIGXFSZ, SIG_IGN);
  const auto console = std::make_shared<Console>();
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
    const auto log = [console](std::string_view text) { console->write_lines(text); };
    if (auto logging = init_logging("kubectl-usbredir", level, log); !logging) return fail(*console, logging.error());
    if (line.options->list) return list_devices(*line.options, *console);
    if (line.options->doctor) return diagnose(*line.options);
    if (!line.options->launch.empty() || line.options->listen) return redirect_outside(*line.options, *console);
    if (line.options->give_back) return give_device_back(*line.options, *console);
    if (line.options->events) std::signal(SIGPIPE, SIG_IGN);  // who reads the events may go first
    return redirect(*line.options, *console);
  } catch (const std::exception& exception) {
    return fail(*console, {ErrorKind::internal, "go on", "", exception.what(), ""});
  }
}

}  // namespace usbloop::client
