#pragma once

#include <functional>
#include <string>
#include <vector>

#include "e2e/harness/plain_guest.h"
#include "e2e/harness/qmp.h"

namespace usbloop::e2e {

/// A second virtual machine in the role of the person's: a kernel of its own, USB devices that are hardware to it, and
/// the host's file system as its root, so that the real client runs there. The host's loopback is 10.0.2.2.
class ClientMachine {
 public:
  /// `devices`: QEMU arguments that plug its devices. `kubeconfig`: copied into it, with the server's address as seen
  /// from there.
  ClientMachine(const CaseDir& dir, std::vector<std::string> devices, const std::filesystem::path& kubeconfig);

  GuestConsole& console() { return machine_.console(); }
  /// Where its QEMU runs: relative paths among the arguments start there.
  [[nodiscard]] const std::filesystem::path& dir() const { return machine_.dir(); }

  /// Its QEMU's monitor: the hands at its hardware.
  Qmp& hardware() { return hardware_; }
  /// Plugs in a device, in the notation of QEMU's -device, under an id.
  void plug(const std::string& device, const std::string& id);
  /// Pulls out the device that has this id.
  void unplug(const std::string& id);

  /// "BUS-DEVICE" of the device at a port ("1-1"), as lsusb numbers them.
  std::string bus_device(const std::string& port);

  /// Runs the client to its end; status and both its outputs.
  GuestResult run_client(const std::string& arguments, const std::string& as_user = {});

  /// Starts the client in the background and waits until it redirects so many devices; the first Redirecting line.
  std::string start_client(const std::string& arguments, std::size_t devices = 1);
  /// Ctrl-C, or SIGTERM ("TERM"); the client's exit status.
  int stop_client(const std::string& signal = "INT");
  /// The exit status of the client in the background, which ends by itself once `cause` has run.
  int status_after(const std::function<void()>& cause);
  /// SIGKILL.
  void kill_client();
  /// After something went wrong: the client in the background, if there is one, and a device, if it is plugged in.
  void kill_client_if_any();
  void unplug_if_there(const std::string& id);
  /// What the client in the background has said.
  std::string client_output();

 private:
  PlainGuest machine_;
  Qmp hardware_;
};

}  // namespace usbloop::e2e
