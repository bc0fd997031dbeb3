#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace usbloop::apiserver {

/// virt-controller's rules for VirtualMachines, as pure functions. `vmi`: the VM's own VMI, or null. `now`: seconds
/// since 1970.

/// The next thing to do for a VM.
struct VmDecision {
  enum class Action {
    none,
    start,        ///< create the VMI
    stop,         ///< delete it
    restart,      ///< delete it, and ask for a new one
    make_always,  ///< a halted VM was asked to start: its strategy becomes Always
    release       ///< the VM is being deleted and has nothing left: its finalizer goes
  };
  Action action = Action::none;
  std::optional<std::chrono::seconds> again;  ///< a start is put off: look again then
};
VmDecision decide_vm(const nlohmann::json& vm, const nlohmann::json* vmi, std::int64_t now);

/// The VM with the status that it should have, and without the requests that are done.
nlohmann::json advance_vm(const nlohmann::json& vm, const nlohmann::json* vmi, std::int64_t now);

/// Counts a VMI that was over before it ever ran, once, and says when the next may be started. Part of advance_vm().
void note_start_failure(nlohmann::json& vm, const nlohmann::json* vmi, std::int64_t now);

/// "Running", "Stopped", "CrashLoopBackOff", …
std::string printable_status(const nlohmann::json& vm, const nlohmann::json* vmi);

/// The VMI that the VM's template describes, to be created.
nlohmann::json vmi_of_vm(const nlohmann::json& vm);

/// Whether the VMI was made by this VM and belongs to it.
bool is_owned_by(const nlohmann::json& vmi, const nlohmann::json& vm);

}  // namespace usbloop::apiserver
