#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace usbloop::launcher {

/// status.phase of a VMI, as far as a node sees it. wire.md section 14.
enum class Phase { pending, scheduling, scheduled, running, succeeded, failed };
std::string_view to_text(Phase phase);
/// "" and what is unknown count as pending: nothing has been done for it yet.
Phase phase_of(std::string_view text);
bool is_final(Phase phase);

/// What the API says about a VMI that is ours.
struct VmiView {
  Phase phase = Phase::pending;
  bool deleting = false;  ///< has a deletionTimestamp
  bool paused = false;    ///< has the condition Paused
};

/// What the API says about the VMI's launcher pod on this node.
struct PodView {
  bool runs = false;      ///< phase Running and ready
  bool over = false;      ///< phase Succeeded or Failed
  bool deleting = false;  ///< has a deletionTimestamp: it is our part to end it
  /// While it is being deleted: how long its containers may take to end.
  std::optional<std::chrono::seconds> grace = std::nullopt;
};

/// What we see of its guest.
struct GuestView {
  enum class State { absent, starting, running, stopping, ended };
  State state = State::absent;
  bool ended_well = false;  ///< ended: in order, or because it was told to
  std::string cause;        ///< ended badly: why
  bool paused = false;      ///< running: a person has stopped its processors
  bool cloned = false;      ///< it began as a copy of a template
  bool rebooting = false;   ///< running: its power button was pressed for a reboot
};

/// The next thing to do for a VMI. A new phase is written first; the action is for the next round then.
struct Decision {
  enum class Action {
    none,
    start,         ///< start the guest
    stop,          ///< press the power button, and after the grace period pull the plug; repeat until it has ended
    kill,          ///< pull the plug
    forget,        ///< remove the guest's folder
    run_pod,       ///< report the launcher pod running and ready: it waits for its guest
    end_pod,       ///< report the launcher pod ended
    remove_pod,    ///< remove the launcher pod, which has been deleted and has nothing left to end
    report_pause,  ///< bring the condition Paused into line with the guest
    wait_for_room
  };
  Action action = Action::none;
  std::optional<Phase> phase;
  std::string reason;   ///< with a phase: one word for events and status.reason; may be empty
  std::string message;  ///< with a phase: a sentence; may be empty
  bool well = true;     ///< with end_pod: whether it succeeded
  bool cloned = false;  ///< with the phase Running: the guest began as a copy of a template
  /// Look again after this time even if nothing is heard.
  std::optional<std::chrono::milliseconds> again;
};

/// A pure function. `vmi` is nothing when the API has no such VMI for this node: it is gone, or its pod does not run
/// yet. `pod` is nothing when no launcher pod of the VMI is bound to this node. `has_room`: the node may start one more
/// guest.
Decision decide(const std::optional<VmiView>& vmi, const std::optional<PodView>& pod, const GuestView& guest,
                bool has_room);

}  // namespace usbloop::launcher
