#include "client/reconnect.h"

#include <doctest/doctest.h>

using namespace usbloop;
using namespace usbloop::client;
using namespace std::chrono_literals;
using usbredir::HostState;

namespace {

websocket::Refusal status_refusal(int code, const std::string& message) {
  return {code, "application/json",
          R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":")" + message + R"(","code":)" +
              std::to_string(code) + "}"};
}

Next after_close(int code) {
  SessionEnd end;
  end.cause = SessionEnd::Cause::closed;
  end.close.code = static_cast<std::uint16_t>(code);
  return after_end(end, HostState::disconnected);
}

Next after_cause(SessionEnd::Cause cause, HostState device = HostState::disconnected) {
  SessionEnd end;
  end.cause = cause;
  return after_end(end, device);
}

}  // namespace

TEST_CASE("the pauses double up to their limit, each within a quarter, and begin anew after a reset") {
  Backoff backoff({250ms, 10s}, 1);
  for (int round = 0; round < 2; ++round) {
    for (const auto wanted : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 8000ms, 10000ms, 10000ms}) {
      const auto pause = backoff.next();
      CHECK(pause >= wanted * 3 / 4);
      CHECK(pause <= wanted * 5 / 4);
    }
    backoff.reset();
  }
}

TEST_CASE("two clients do not ask at the same moments") {
  Backoff one({1000ms, 10s}, 1);
  Backoff two({1000ms, 10s}, 2);
  bool same = true;
  for (int count = 0; count < 4; ++count) same = same && one.next() == two.next();
  CHECK_FALSE(same);
}

TEST_CASE("each refusal has its consequence for a redirection that has run") {
  CHECK(after_refusal(status_refusal(401, "Unauthorized")) == Next::stop_if_repeated);
  CHECK(after_refusal(status_refusal(403, "x is forbidden")) == Next::stop_if_repeated);
  CHECK(after_refusal(status_refusal(404, "virtualmachineinstance.kubevirt.io \\\"demo\\\" not found")) == Next::ask);
  CHECK(after_refusal({404, "text/plain", "404: Page Not Found"}) == Next::retry);
  CHECK(after_refusal(status_refusal(400, "VMI is not running")) == Next::ask);
  CHECK(after_refusal(status_refusal(400, "no such slot")) == Next::stop);
  CHECK(after_refusal(status_refusal(409, "...: Not configured with USB Redirection")) == Next::stop);
  CHECK(after_refusal(status_refusal(409, "try again")) == Next::retry);
  CHECK(after_refusal(status_refusal(405, "method not allowed")) == Next::stop);
  for (const int code : {408, 429, 500, 502, 503, 504, 302, 200}) {
    CHECK_MESSAGE(after_refusal({code, "", ""}) == Next::retry, code);
  }
}

TEST_CASE("a session that was cut is begun again, one that a side has refused is not") {
  for (const int code : {1000, 1001, 1005, 1011, 1012, 1013}) CHECK(after_close(code) == Next::retry);
  for (const int code : {1002, 1003, 1007, 1008, 1009, 1010}) CHECK(after_close(code) == Next::stop);
  CHECK(after_cause(SessionEnd::Cause::lost) == Next::retry);
  CHECK(after_cause(SessionEnd::Cause::not_served) == Next::retry);
  CHECK(after_cause(SessionEnd::Cause::stopped) == Next::stop);
  CHECK(after_cause(SessionEnd::Cause::device, HostState::device_gone) == Next::retry);
  CHECK(after_cause(SessionEnd::Cause::device, HostState::rejected) == Next::stop);
  CHECK(after_cause(SessionEnd::Cause::device, HostState::failed) == Next::stop);
}

TEST_CASE("a VMI comes back when it is on its way or has a VM, and not when it has ended or gone") {
  for (const char* phase : {"", "Pending", "Scheduling", "Scheduled", "Running", "Unknown"}) {
    CHECK_MESSAGE(comes_back({.exists = true, .deleting = false, .phase = phase, .has_vm = false}), phase);
  }
  for (const char* phase : {"Succeeded", "Failed"}) {
    CHECK_FALSE(comes_back({.exists = true, .deleting = false, .phase = phase, .has_vm = false}));
    CHECK(comes_back({.exists = true, .deleting = false, .phase = phase, .has_vm = true}));
  }
  CHECK_FALSE(comes_back({.exists = true, .deleting = true, .phase = "Running", .has_vm = false}));
  CHECK_FALSE(comes_back({.exists = false, .deleting = false, .phase = "", .has_vm = false}));
  CHECK(comes_back({.exists = false, .deleting = false, .phase = "", .has_vm = true}));
}
