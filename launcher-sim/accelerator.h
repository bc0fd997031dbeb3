#pragma once

#include <chrono>
#include <string>

#include "common/error.h"

namespace usbloop::launcher {

/// What was found out about hardware virtualisation.
struct KvmProbe {
  bool works = false;
  std::string cause;  ///< why not
};

/// Runs one instruction in a tiny virtual machine on `device` (usually /dev/kvm), in a child process that is killed at
/// the deadline: a device that opens is no proof, some never run a guest. Call while the process has one thread.
KvmProbe probe_kvm(const std::string& device, std::chrono::milliseconds timeout);

/// "kvm" or "tcg" for `wanted` (auto, kvm, tcg), with one log line that says which and why. `wanted` kvm that does not
/// work is an error.
Result<std::string> choose_accelerator(const std::string& wanted, const std::string& device = "/dev/kvm");

}  // namespace usbloop::launcher
