#pragma once

#include <memory>
#include <string>
#include <vector>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/guest_console.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {

struct PlainGuestOptions {
  std::string name = "guest";
  std::string memory = "256M";
  std::string kernel_parameters = {};       ///< added to the console's
  std::vector<std::string> arguments = {};  ///< added to QEMU's
};

/// The test guest in a QEMU of the harness's own, without a loop around it. Killed by the destructor.
class PlainGuest {
 public:
  PlainGuest(const CaseDir& dir, const PlainGuestOptions& options);

  /// Waits for the guest's shell.
  GuestConsole& boot();
  GuestConsole& console() { return *console_; }
  Process& qemu() { return *qemu_; }
  /// Where QEMU runs and its sockets stand.
  [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }

 private:
  std::filesystem::path dir_;
  std::unique_ptr<Process> qemu_;
  std::unique_ptr<GuestConsole> console_;
};

}  // namespace usbloop::e2e
