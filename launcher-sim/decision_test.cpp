#include "launcher-sim/decision.h"

#include <doctest/doctest.h>

#include <vector>

using namespace usbloop::launcher;
using State = GuestView::State;
using Action = Decision::Action;

namespace {

struct Row {
  const char* name;
  std::optional<VmiView> vmi;
  std::optional<PodView> pod;
  GuestView guest;
  Action action;
  std::optional<Phase> phase;
};

const std::optional<PodView> kNoPod;
const PodView kBound{};
const PodView kRuns{.runs = true};
const PodView kOver{.over = true};
const PodView kDeleted{.runs = true, .deleting = true};

const GuestView kAbsent{State::absent, false, {}};
const GuestView kStarting{State::starting, false, {}};
const GuestView kRunning{State::running, false, {}};
const GuestView kPaused{State::running, false, {}, true};
const GuestView kRebooting{State::running, false, {}, false, true};
const GuestView kStopping{State::stopping, false, {}};
const GuestView kEndedWell{State::ended, true, {}};
const GuestView kCrashed{State::ended, false, "QEMU ended with signal 9"};

const std::vector<Row> kTable = {
    {"a pod bound to this node runs, before its VMI is ours", {}, kBound, kAbsent, Action::run_pod, {}},
    {"then it waits for the VMI", {}, kRuns, kAbsent, Action::none, {}},
    {"a VMI that was not handed over", VmiView{Phase::scheduling}, kRuns, kAbsent, Action::none, {}},
    {"one that was gets its guest", VmiView{Phase::scheduled}, kRuns, kAbsent, Action::start, {}},
    {"but not without its pod", VmiView{Phase::scheduled}, kNoPod, kAbsent, Action::none, {}},
    {"a starting guest is waited for", VmiView{Phase::scheduled}, kRuns, kStarting, Action::none, {}},
    {"a running guest makes it Running", VmiView{Phase::scheduled}, kRuns, kRunning, Action::none, Phase::running},
    {"running is running", VmiView{Phase::running}, kRuns, kRunning, Action::none, {}},
    {"paused and not yet told", VmiView{Phase::running}, kRuns, kPaused, Action::report_pause, {}},
    {"paused and told", VmiView{Phase::running, false, true}, kRuns, kPaused, Action::none, {}},
    {"goes on and not yet told", VmiView{Phase::running, false, true}, kRuns, kRunning, Action::report_pause, {}},
    {"paused before it was Running", VmiView{Phase::scheduled}, kRuns, kPaused, Action::none, Phase::running},
    {"a guest that reboots", VmiView{Phase::running}, kRuns, kRebooting, Action::none, {}},
    {"deleted while paused", VmiView{Phase::running, true, true}, kDeleted, kPaused, Action::stop, {}},
    {"a pod that was thought lost runs", VmiView{Phase::running}, kBound, kRunning, Action::run_pod, {}},
    {"a guest that powers itself off", VmiView{Phase::running}, kRuns, kEndedWell, Action::none, Phase::succeeded},
    {"a guest that crashes", VmiView{Phase::running}, kRuns, kCrashed, Action::none, Phase::failed},
    {"a guest that crashes at the start", VmiView{Phase::scheduled}, kRuns, kCrashed, Action::none, Phase::failed},
    {"a guest that is lost", VmiView{Phase::running}, kRuns, kAbsent, Action::none, Phase::failed},
    {"its pod ends with it", VmiView{Phase::succeeded}, kRuns, kEndedWell, Action::end_pod, {}},
    {"final is final", VmiView{Phase::succeeded}, kOver, kEndedWell, Action::none, {}},
    {"a final VMI's guest must not run", VmiView{Phase::failed}, kRuns, kRunning, Action::stop, {}},
    {"nor after its pod, which nobody waits for", VmiView{Phase::failed}, kNoPod, kRunning, Action::kill, {}},
    {"a final VMI is not started again", VmiView{Phase::failed}, kOver, kAbsent, Action::none, {}},
    {"its deleted pod goes", VmiView{Phase::failed}, kDeleted, kAbsent, Action::remove_pod, {}},
    {"the pod is deleted under the VMI", VmiView{Phase::running}, kDeleted, kRunning, Action::stop, {}},
    {"and then the VMI has failed", VmiView{Phase::running}, kDeleted, kEndedWell, Action::none, Phase::failed},
    {"also before it ran", VmiView{Phase::scheduled}, kDeleted, kAbsent, Action::none, Phase::failed},
    {"deleted while running", VmiView{Phase::running, true}, kDeleted, kRunning, Action::stop, {}},
    {"deleted while starting", VmiView{Phase::scheduled, true}, kDeleted, kStarting, Action::stop, {}},
    {"deleted and stopping", VmiView{Phase::running, true}, kDeleted, kStopping, Action::stop, {}},
    {"deleted and stopped", VmiView{Phase::running, true}, kDeleted, kEndedWell, Action::none, Phase::succeeded},
    {"deleted and crashed", VmiView{Phase::running, true}, kDeleted, kCrashed, Action::none, Phase::failed},
    {"deleted before its guest ran", VmiView{Phase::scheduled, true}, kRuns, kAbsent, Action::none, Phase::failed},
    {"deleted and final: its folder goes", VmiView{Phase::succeeded, true}, kDeleted, kEndedWell, Action::forget, {}},
    {"and its pod", VmiView{Phase::failed, true}, kDeleted, kAbsent, Action::remove_pod, {}},
    {"deleted, final, and nothing left here", VmiView{Phase::failed, true}, kNoPod, kAbsent, Action::none, {}},
    {"gone but its guest runs", {}, kRuns, kRunning, Action::kill, {}},
    {"gone but its guest starts", {}, kNoPod, kStarting, Action::kill, {}},
    {"gone and its guest has ended", {}, kDeleted, kCrashed, Action::forget, {}},
    {"gone, and its pod is to go", {}, kDeleted, kAbsent, Action::remove_pod, {}},
    {"gone for good", {}, kNoPod, kAbsent, Action::none, {}},
};

}  // namespace

TEST_CASE("the next step for a VMI follows from its phase and its guest") {
  for (const auto& row : kTable) {
    CAPTURE(row.name);
    const Decision decision = decide(row.vmi, row.pod, row.guest, true);
    CHECK(decision.action == row.action);
    CHECK(decision.phase == row.phase);
    // What is not settled is looked at again without being asked.
    const bool unsettled = row.guest.state == State::starting || row.guest.state == State::stopping || row.phase;
    if (unsettled) CHECK(decision.again);
  }
}

TEST_CASE("without room a new pod and a new guest wait, and everything else goes on") {
  CHECK(decide(std::nullopt, kBound, kAbsent, false).action == Action::wait_for_room);
  CHECK(decide(VmiView{Phase::scheduled}, kRuns, kAbsent, false).action == Action::wait_for_room);
  for (const auto& row : kTable) {
    if (row.action == Action::start || (row.action == Action::run_pod && row.guest.state == State::absent)) continue;
    CAPTURE(row.name);
    CHECK(decide(row.vmi, row.pod, row.guest, false).action == row.action);
    CHECK(decide(row.vmi, row.pod, row.guest, false).phase == row.phase);
  }
}

TEST_CASE("every VMI comes to rest: no chain of phases goes round in circles") {
  for (const auto& row : kTable) {
    if (!row.vmi) continue;
    CAPTURE(row.name);
    VmiView vmi = *row.vmi;
    int steps = 0;
    for (auto decision = decide(vmi, row.pod, row.guest, true); decision.phase;
         decision = decide(vmi, row.pod, row.guest, true)) {
      REQUIRE(*decision.phase > vmi.phase);
      vmi.phase = *decision.phase;
      REQUIRE(++steps < 6);
    }
  }
}

TEST_CASE("phases have the names of the API, and unknown ones count as Pending") {
  for (const auto phase :
       {Phase::pending, Phase::scheduling, Phase::scheduled, Phase::running, Phase::succeeded, Phase::failed}) {
    CHECK(phase_of(to_text(phase)) == phase);
  }
  CHECK(phase_of("") == Phase::pending);
  CHECK(phase_of("Confused") == Phase::pending);
}

TEST_CASE("a crash says why") {
  const auto decision = decide(VmiView{Phase::running}, kRuns, kCrashed, true);
  CHECK(decision.reason == "GuestCrashed");
  CHECK(decision.message == "The VirtualMachineInstance crashed: QEMU ended with signal 9");
}
