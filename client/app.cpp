#include "client/app.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <utility>

#include "client/device_list.h"
#include "client/device_watch.h"
#include "client/exit_status.h"
#include "client/find_devices.h"
#include "client/give_back.h"
#include "client/messages.h"
#include "client/object_names.h"
#include "client/options.h"
#include "client/redirection_group.h"
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

int give_device_back(const Options& options) {
  const bool is_guard = options.after > 0;
  if (is_guard) wait_for_end_of(options.after);
  const auto said = give_back(options.selectors.front(), is_guard);
  if (!said) return fail(said.error());
  std::cout << shown_lines(*said) << std::endl;
  return kExitAsAsked;
}

/// Ends the process without unwinding.
[[noreturn]] void leave(int status) {
  std::cerr << std::flush;
  std::_Exit(status);
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

int redirect(const Options& options) {
  DeviceClaims claims;
  auto devices = find_devices(options, claims);
  if (!devices) {
    // A description that says nothing sensible is part of the command line.
    const bool is_usage = devices.error().operation == device_sim::kEmulateOperation;
    const int failed = fail(devices.error());
    return is_usage ? kExitUsage : failed;
  }
  const auto load = [&options] { return load_access(options); };
  auto access = load();
  if (!access) return fail(access.error());
  const Target target{options.vmi, options.name_space.empty() ? access->default_namespace : options.name_space};
  if (auto fine = check_namespace(target.name_space); !fine) return fail(fine.error());
  RedirectionOptions how;
  how.once = options.once;
  if (options.request_timeout) how.connect_timeout = *options.request_timeout;
  RedirectionGroup redirections(*access, target, std::move(*devices), how, {say, load, leave});
  const StopSignal signals([&] { redirections.stop(); });
  return redirections.run();
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
    if (line.options->list) return list_devices(*line.options);
    return line.options->give_back ? give_device_back(*line.options) : redirect(*line.options);
  } catch (const std::exception& exception) {
    return fail({ErrorKind::internal, "go on", "", exception.what(), ""});
  }
}

}  // namespace usbloop::client
