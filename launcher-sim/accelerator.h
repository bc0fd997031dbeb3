#pragma once

#include <chrono>
#include <string>

#include "common/error.h"
#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {

/// What was found out about hardware virtualisation.
struct KvmProbe {
  bool works = false;
  std::string cause;  ///< why not
};

/// Boots the guest's kernel with KVM in a QEMU of its own, until the kernel speaks or the deadline is over.
KvmProbe try_guest(const QemuHost& host, std::chrono::milliseconds timeout);

/// Whether `device` (usually /dev/kvm) is KVM and runs a trial guest. Opening the device proves nothing: on some
/// machines /dev/kvm opens and runs a few instructions, but never a guest.
KvmProbe probe_kvm(const QemuHost& host, const std::string& device, std::chrono::milliseconds timeout);

/// "kvm" or "tcg" for `wanted` (auto, kvm, tcg), with one log line that says which and why. `wanted` kvm that does not
/// work is an error.
Result<std::string> choose_accelerator(const std::string& wanted, const QemuHost& host,
                                       const std::string& device = "/dev/kvm",
                                       std::chrono::milliseconds timeout = std::chrono::seconds(5));

}  // namespace usbloop::launcher
