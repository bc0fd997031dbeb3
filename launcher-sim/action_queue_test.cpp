#include "launcher-sim/action_queue.h"

#include <doctest/doctest.h>

#include <string>

using namespace usbloop;
using launcher::ActionQueue;
using launcher::GuestAction;

TEST_CASE("actions are taken in their order, each once, and only those of the guest") {
  ActionQueue queue;
  std::string done;
  const auto note = [&done](const char* name) { return [&done, name](const Result<>&) { done += name; }; };
  queue.add("one", GuestAction::pause, note("a"));
  queue.add("one", GuestAction::unpause, note("b"));
  queue.add("two", GuestAction::reset, note("c"));
  const auto actions = queue.take("one");
  REQUIRE(actions.size() == 2);
  CHECK(actions[0].action == GuestAction::pause);
  CHECK(actions[1].action == GuestAction::unpause);
  for (const auto& one : actions) one.done({});
  CHECK(done == "ab");
  CHECK(queue.take("one").empty());
  CHECK(queue.take("two").size() == 1);
}

TEST_CASE("who waits when a node ends is told, and so is who comes after that") {
  ActionQueue queue;
  int refused = 0;
  const auto count = [&refused](const Result<>& result) {
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::unavailable);
    ++refused;
  };
  queue.add("one", GuestAction::pause, count);
  queue.close();
  CHECK(refused == 1);
  queue.add("one", GuestAction::reset, count);
  CHECK(refused == 2);
  queue.close();
  CHECK(refused == 2);
}
