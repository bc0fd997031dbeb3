#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/guest_console.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {

/// Runs kubectl-usbredir with the arguments; its logs go to the case's directory. `env` may hide KUBECONFIG and HOME,
/// which are never those of the person who runs the tests.
Process start_client(const CaseDir& dir, const std::string& name, std::vector<std::string> arguments,
                     std::map<std::string, std::string> env = {});

/// The outcome of a client that is expected to end by itself.
struct ClientEnd {
  ExitStatus status;
  std::string err;
  std::string out;
};
ClientEnd run_client(const CaseDir& dir, const std::string& name, std::vector<std::string> arguments,
                     std::map<std::string, std::string> env = {});

/// An emulated stick to redirect.
struct Stick {
  std::filesystem::path image = {};
  std::string id = "0951:1666";
  std::string speed = {};  ///< empty: the program's default
  std::string serial = {};
  std::string more = {};  ///< further settings, ",ro"
  [[nodiscard]] std::string spec() const;
};

/// A client that redirects an emulated stick into a VMI.
class Client {
 public:
  /// Starts it and returns when it says that it redirects. Throws Failure when it does not.
  Client(const CaseDir& dir, const std::string& name, const Loop& loop, const Stick& stick, const std::string& vmi);

  Process& process() { return process_; }
  /// Ctrl-C; expects exit code 0.
  void stop();

 private:
  Process process_;
};

/// The guest's disk that stands on the USB port ("1-2" on the high-speed hub), for example "sda"; waits for it.
std::string wait_disk(GuestConsole& guest, const std::string& port, milliseconds timeout = 15s);

/// sha256 of the first `bytes` of the disk, computed in the guest.
std::string guest_sha256(GuestConsole& guest, const std::string& disk, std::size_t bytes);

}  // namespace usbloop::e2e
