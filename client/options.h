#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/devices/device_list.h"
#include "client/devices/filter_rules.h"
#include "client/devices/selector.h"
#include "client/transport.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/net/address.h"
#include "usbredir/capture/capture_file.h"

namespace usbloop::client {

/// What the command line asks for.
struct Options {
  bool list = false;  ///< show this machine's devices and end
  ListFormat list_format = ListFormat::lines;
  bool doctor = false;                 ///< look at each step of the redirection, and end
  bool doctor_json = false;            ///< doctor: for programs
  bool watch = false;                  ///< list: go on, and tell of each change
  bool give_back = false;              ///< give the only one of `selectors` back to this machine's drivers and end
  int after = 0;                       ///< give_back: when this parent process has ended; 0: now
  std::string desk;                    ///< a desk of emulated devices in the place of this machine's; empty: none
  std::vector<Selector> selectors;     ///< devices of this machine or of the desk, and
  std::vector<std::string> emulate;    ///< emulated ones, as device-sim's --emulate describes them; a slot each
  std::string launch;                  ///< the program that redirects the device in our place; empty: we do
  std::optional<net::Address> listen;  ///< such a program is not started by us, and connects here
  std::string vmi;
  std::string kubeconfig;  ///< empty: KUBECONFIG, then the home directory
  std::string context;     ///< empty: current-context
  std::string name_space;  ///< empty: the context's
  kube::AccessOverrides overrides;
  std::optional<std::chrono::milliseconds> request_timeout;
  bool once = false;  ///< ends with the first session
  /// Waits so long for a slot while all are taken; zero: without an end.
  std::optional<std::chrono::milliseconds> wait;
  bool events = false;  ///< tells what happens as lines of JSON on standard output
  bool status = true;   ///< rows at a terminal
  bool pick = false;    ///< no device was named: a person is asked
  FilterRules filter;   ///< of --filter
  bool force = false;   ///< a keyboard too
  Transport transport = Transport::automatic;
  capture::CaptureOptions capture;  ///< without a path: none
  int verbosity = 0;
};

struct CompletionQuery;

/// The outcome of reading a command line: options to work with, or a text to print and an exit status.
struct CommandLine {
  std::optional<Options> options;
  std::string text;      ///< help, version or what is wrong
  int exit_status = 0;   ///< 0: print `text` to standard output; 2: wrong usage, to standard error
  bool is_data = false;  ///< the text is for a program and goes out as it is
  std::shared_ptr<const CompletionQuery> completion = nullptr;  ///< a shell asks for words (completion.h)
};

/// `arguments` without the program's name; `program` is how the person called it; `version` is what --version prints.
/// Called as `virtctl` (or `kubectl virt`), it takes virtctl's line: the command usbredir, with flags anywhere, and
/// ends with its first session.
CommandLine parse_command_line(const std::string& program, const std::vector<std::string>& arguments,
                               const std::string& version);

/// How to name the program in its help: `kubectl usbredir` when kubectl has started it as a plugin, `virtctl` when it
/// bears that name.
std::string display_name(const std::string& argv0);

}  // namespace usbloop::client
