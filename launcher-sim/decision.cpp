#include "launcher-sim/decision.h"

#include <array>
#include <utility>

namespace usbloop::launcher {
namespace {

using State = GuestView::State;
using Action = Decision::Action;
using namespace std::chrono_literals;

constexpr std::array<std::pair<Phase, std::string_view>, 6> kPhases = {{{Phase::pending, "Pending"},
                                                                        {Phase::scheduling, "Scheduling"},
                                                                        {Phase::scheduled, "Scheduled"},
                                                                        {Phase::running, "Running"},
                                                                        {Phase::succeeded, "Succeeded"},
                                                                        {Phase::failed, "Failed"}}};

Decision act(Action action, std::optional<std::chrono::milliseconds> again = std::nullopt) {
  Decision decision;
  decision.action = action;
  decision.again = again;
  return decision;
}

Decision enter(Phase phase, std::string reason = {}, std::string message = {}) {
  Decision decision;
  decision.phase = phase;
  decision.reason = std::move(reason);
  decision.message = std::move(message);
  decision.again = 0ms;
  return decision;
}

bool is_alive(State state) { return state == State::starting || state == State::running || state == State::stopping; }

Decision enter_final(const GuestView& guest) {
  if (guest.ended_well) return enter(Phase::succeeded, "Stopped", "The VirtualMachineInstance was shut down.");
  return enter(Phase::failed, "GuestCrashed", "The VirtualMachineInstance crashed: " + guest.cause);
}

/// The pod of a VMI that is not ours, or not yet.
Decision decide_early_pod(const PodView& pod, bool has_room) {
  if (pod.deleting) return act(Action::remove_pod, 0ms);
  if (pod.runs || pod.over) return act(Action::none);
  return has_room ? act(Action::run_pod, 0ms) : act(Action::wait_for_room, 1s);
}

Decision decide_without_vmi(const std::optional<PodView>& pod, const GuestView& guest, bool has_room) {
  if (is_alive(guest.state)) return act(Action::kill, 200ms);
  if (guest.state == State::ended) return act(Action::forget, 0ms);
  return pod ? decide_early_pod(*pod, has_room) : act(Action::none);
}

Decision decide_final(const VmiView& vmi, const std::optional<PodView>& pod, const GuestView& guest) {
  // The VMI and the pod are over, so nobody waits for the guest; another one of the same VM may begin.
  if (is_alive(guest.state)) return act(pod ? Action::stop : Action::kill, 200ms);
  // The folder with the logs stays for as long as the VMI does.
  if (vmi.deleting && guest.state == State::ended) return act(Action::forget, 0ms);
  if (pod && pod->deleting) return act(Action::remove_pod, 0ms);
  if (!pod || pod->over) return act(Action::none);
  Decision decision = act(Action::end_pod, 0ms);
  decision.well = vmi.phase == Phase::succeeded;
  return decision;
}

Decision decide_deleting(const GuestView& guest) {
  if (is_alive(guest.state)) return act(Action::stop, 200ms);
  if (guest.state == State::ended) return enter_final(guest);
  return enter(Phase::failed, "Deleted", "The VirtualMachineInstance was deleted before its guest ran.");
}

/// Somebody has deleted the pod under the VMI: that ends the guest, and not well.
Decision decide_evicted(const GuestView& guest) {
  if (is_alive(guest.state)) return act(Action::stop, 200ms);
  return enter(Phase::failed, "PodTerminating", "The virt-launcher pod of the VirtualMachineInstance was deleted.");
}

/// The phases up to Scheduled are the controllers'.
Decision decide_absent(Phase phase, const std::optional<PodView>& pod, bool has_room) {
  if (phase == Phase::running) return enter(Phase::failed, "GuestLost", "The node has lost the guest.");
  if (!pod) return act(Action::none);
  if (phase == Phase::pending || phase == Phase::scheduling) return decide_early_pod(*pod, has_room);
  return has_room ? act(Action::start) : act(Action::wait_for_room, 1s);
}

Decision decide_live(const VmiView& vmi, const std::optional<PodView>& pod, const GuestView& guest) {
  const Phase phase = vmi.phase;
  // While the node was silent, its pods were marked as not ready.
  if (pod && !pod->runs && !pod->over) return act(Action::run_pod, 0ms);
  const bool runs = guest.state == State::running;
  if (phase == Phase::scheduled && runs) {
    Decision started = enter(Phase::running, "Started", "VirtualMachineInstance started.");
    started.cloned = guest.cloned;
    return started;
  }
  if (guest.state == State::starting) return act(Action::none, 20ms);
  if (guest.state == State::stopping) return act(Action::stop, 200ms);
  if (vmi.paused != guest.paused) return act(Action::report_pause, 0ms);
  if (guest.rebooting) return act(Action::none, 100ms);
  return act(Action::none);
}

}  // namespace

std::string_view to_text(Phase phase) {
  for (const auto& [value, text] : kPhases) {
    if (value == phase) return text;
  }
  return "Pending";
}

Phase phase_of(std::string_view text) {
  for (const auto& [value, name] : kPhases) {
    if (name == text) return value;
  }
  return Phase::pending;
}

bool is_final(Phase phase) { return phase == Phase::succeeded || phase == Phase::failed; }

Decision decide(const std::optional<VmiView>& vmi, const std::optional<PodView>& pod, const GuestView& guest,
                bool has_room) {
  if (!vmi) return decide_without_vmi(pod, guest, has_room);
  if (is_final(vmi->phase)) return decide_final(*vmi, pod, guest);
  if (vmi->deleting) return decide_deleting(guest);
  if (pod && pod->deleting) return decide_evicted(guest);
  if (guest.state == State::ended) return enter_final(guest);
  if (guest.state == State::absent) return decide_absent(vmi->phase, pod, has_room);
  return decide_live(*vmi, pod, guest);
}

}  // namespace usbloop::launcher
