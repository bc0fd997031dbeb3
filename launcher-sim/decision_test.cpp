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
  GuestView guest;
  Action action;
  std::optional<Phase> phase;
};

const GuestView kAbsent{State::absent, false, {}};
const GuestView kStarting{State::starting, false, {}};
const GuestView kRunning{State::running, false, {}};
const GuestView kPaused{State::running, false, {}, true};
const GuestView kRebooting{State::running, false, {}, false, true};
const GuestView kStopping{State::stopping, false, {}};
const GuestView kEndedWell{State::ended, true, {}};
const GuestView kCrashed{State::ended, false, "QEMU ended with signal 9"};

const std::vector<Row> kTable = {
    {"a new VMI is accepted", VmiView{Phase::pending}, kAbsent, Action::none, Phase::scheduling},
    {"then its guest is started", VmiView{Phase::scheduling}, kAbsent, Action::start, {}},
    {"a started guest makes it Scheduled", VmiView{Phase::scheduling}, kStarting, Action::none, Phase::scheduled},
    {"a starting guest is waited for", VmiView{Phase::scheduled}, kStarting, Action::none, {}},
    {"a running guest makes it Running", VmiView{Phase::scheduled}, kRunning, Action::none, Phase::running},
    {"running is running", VmiView{Phase::running}, kRunning, Action::none, {}},
    {"paused and not yet told", VmiView{Phase::running}, kPaused, Action::report_pause, {}},
    {"paused and told", VmiView{Phase::running, false, true}, kPaused, Action::none, {}},
    {"goes on and not yet told", VmiView{Phase::running, false, true}, kRunning, Action::report_pause, {}},
    {"paused before it was Running", VmiView{Phase::scheduled}, kPaused, Action::none, Phase::running},
    {"a guest that reboots", VmiView{Phase::running}, kRebooting, Action::none, {}},
    {"deleted while paused", VmiView{Phase::running, true, true}, kPaused, Action::stop, {}},
    {"phases are passed through one by one", VmiView{Phase::pending}, kRunning, Action::none, Phase::scheduling},
    {"a guest that powers itself off", VmiView{Phase::running}, kEndedWell, Action::none, Phase::succeeded},
    {"a guest that crashes", VmiView{Phase::running}, kCrashed, Action::none, Phase::failed},
    {"a guest that crashes at the start", VmiView{Phase::scheduled}, kCrashed, Action::none, Phase::failed},
    {"a guest that is lost", VmiView{Phase::running}, kAbsent, Action::none, Phase::failed},
    {"a guest lost before it ran is started", VmiView{Phase::scheduled}, kAbsent, Action::start, {}},
    {"final is final", VmiView{Phase::succeeded}, kEndedWell, Action::none, {}},
    {"a final VMI's guest must not run", VmiView{Phase::failed}, kRunning, Action::stop, {}},
    {"a final VMI is not started again", VmiView{Phase::failed}, kAbsent, Action::none, {}},
    {"deleted while running", VmiView{Phase::running, true}, kRunning, Action::stop, {}},
    {"deleted while starting", VmiView{Phase::scheduled, true}, kStarting, Action::stop, {}},
    {"deleted and stopping", VmiView{Phase::running, true}, kStopping, Action::stop, {}},
    {"deleted and stopped", VmiView{Phase::running, true}, kEndedWell, Action::none, Phase::succeeded},
    {"deleted and crashed", VmiView{Phase::running, true}, kCrashed, Action::none, Phase::failed},
    {"deleted before its guest ran", VmiView{Phase::pending, true}, kAbsent, Action::none, Phase::failed},
    {"deleted and final", VmiView{Phase::succeeded, true}, kEndedWell, Action::release, {}},
    {"deleted, final, and nothing left here", VmiView{Phase::failed, true}, kAbsent, Action::release, {}},
    {"gone but its guest runs", {}, kRunning, Action::kill, {}},
    {"gone but its guest starts", {}, kStarting, Action::kill, {}},
    {"gone and its guest has ended", {}, kCrashed, Action::forget, {}},
    {"gone for good", {}, kAbsent, Action::none, {}},
};

}  // namespace

TEST_CASE("the next step for a VMI follows from its phase and its guest") {
  for (const auto& row : kTable) {
    CAPTURE(row.name);
    const Decision decision = decide(row.vmi, row.guest, true);
    CHECK(decision.action == row.action);
    CHECK(decision.phase == row.phase);
    // What is not settled is looked at again without being asked.
    const bool unsettled = row.guest.state == State::starting || row.guest.state == State::stopping || row.phase;
    if (unsettled) CHECK(decision.again);
  }
}

TEST_CASE("without room a new VMI waits, and everything else goes on") {
  CHECK(decide(VmiView{Phase::pending}, kAbsent, false).action == Action::wait_for_room);
  CHECK(decide(VmiView{Phase::scheduling}, kAbsent, false).action == Action::wait_for_room);
  for (const auto& row : kTable) {
    if (row.guest.state == State::absent && !(row.vmi && (row.vmi->deleting || is_final(row.vmi->phase)))) continue;
    CAPTURE(row.name);
    CHECK(decide(row.vmi, row.guest, false).action == row.action);
    CHECK(decide(row.vmi, row.guest, false).phase == row.phase);
  }
}

TEST_CASE("every VMI comes to rest: no chain of phases goes round in circles") {
  for (const auto& row : kTable) {
    if (!row.vmi) continue;
    CAPTURE(row.name);
    VmiView vmi = *row.vmi;
    int steps = 0;
    for (auto decision = decide(vmi, row.guest, true); decision.phase; decision = decide(vmi, row.guest, true)) {
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
  const auto decision = decide(VmiView{Phase::running}, kCrashed, true);
  CHECK(decision.reason == "GuestCrashed");
  CHECK(decision.message == "The VirtualMachineInstance crashed: QEMU ended with signal 9");
}
