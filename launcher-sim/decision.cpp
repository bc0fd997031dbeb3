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

Decision decide_gone(const GuestView& guest) {
  if (is_alive(guest.state)) return act(Action::kill, 200ms);
  return act(guest.state == State::ended ? Action::forget : Action::none);
}

Decision decide_deleting(const VmiView& vmi, const GuestView& guest) {
  if (is_alive(guest.state)) return act(Action::stop, 200ms);
  if (is_final(vmi.phase)) return act(Action::release);
  if (guest.state == State::ended) return enter_final(guest);
  return enter(Phase::failed, "Deleted", "The VirtualMachineInstance was deleted before its guest ran.");
}

/// The phases are passed through one by one, as the real controllers do.
Decision decide_absent(Phase phase, bool has_room) {
  switch (phase) {
    case Phase::pending: return has_room ? enter(Phase::scheduling) : act(Action::wait_for_room, 1s);
    case Phase::running: return enter(Phase::failed, "GuestLost", "The node has lost the guest.");
    default: return has_room ? act(Action::start) : act(Action::wait_for_room, 1s);
  }
}

Decision decide_live(const VmiView& vmi, const GuestView& guest) {
  const Phase phase = vmi.phase;
  const bool runs = guest.state == State::running;
  if (phase == Phase::pending) return enter(Phase::scheduling);
  if (phase == Phase::scheduling) return enter(Phase::scheduled);
  if (phase == Phase::scheduled && runs) return enter(Phase::running, "Started", "VirtualMachineInstance started.");
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

Decision decide(const std::optional<VmiView>& vmi, const GuestView& guest, bool has_room) {
  if (!vmi) return decide_gone(guest);
  if (vmi->deleting) return decide_deleting(*vmi, guest);
  if (is_final(vmi->phase)) return is_alive(guest.state) ? act(Action::stop, 200ms) : act(Action::none);
  if (guest.state == State::ended) return enter_final(guest);
  if (guest.state == State::absent) return decide_absent(vmi->phase, has_room);
  return decide_live(*vmi, guest);
}

}  // namespace usbloop::launcher
