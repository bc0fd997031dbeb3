#include "launcher-sim/vmi_status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace usbloop::launcher;
using nlohmann::json;

namespace {

constexpr const char* kNow = "2026-01-02T03:04:05Z";

json stored_vmi() {
  return json::parse(R"({
    "metadata": {"name": "demo", "namespace": "default", "uid": "u", "resourceVersion": "7",
                 "finalizers": ["other", "kubevirt.io/foregroundDeleteVirtualMachine"]},
    "status": {"phase": "Scheduled", "nodeName": "node-a",
               "phaseTransitionTimestamps": [{"phase": "Pending", "phaseTransitionTimestamp": "2026-01-01T00:00:00Z"}],
               "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"},
                              {"type": "Provisioning", "status": "True"}]}})");
}

const json& condition(const json& patch, const std::string& type) {
  for (const json& entry : patch["status"]["conditions"]) {
    if (entry["type"] == type) return entry;
  }
  FAIL("no condition " << type);
  return patch;
}

}  // namespace

TEST_CASE(
    "the patch to Running has phase, node, times and conditions, and only goes onto the version it was made for") {
  const json patch = phase_patch(stored_vmi(), Phase::running, "", "node-a", kNow);
  CHECK(patch["metadata"]["resourceVersion"] == "7");
  CHECK(patch["metadata"]["labels"]["kubevirt.io/nodeName"] == "node-a");
  CHECK(patch["status"]["phase"] == "Running");
  CHECK(patch["status"]["nodeName"] == "node-a");
  const json& times = patch["status"]["phaseTransitionTimestamps"];
  REQUIRE(times.size() == 2);
  CHECK(times[1] == json{{"phase", "Running"}, {"phaseTransitionTimestamp", kNow}});
  CHECK(condition(patch, "Ready")["status"] == "True");
  CHECK(condition(patch, "Ready")["lastTransitionTime"] == kNow);
  CHECK(condition(patch, "LiveMigratable")["status"] == "False");
  CHECK(condition(patch, "Provisioning")["status"] == "True");  // somebody else's stays
}

TEST_CASE("a VMI whose guest began as a copy says so, with what it shares with the template, until it has ended") {
  json object = stored_vmi();
  object.merge_patch(phase_patch(object, Phase::running, "", "node-a", kNow, true));
  CHECK(condition(object, "usbloop.dev/Cloned")["status"] == "True");
  CHECK(condition(object, "usbloop.dev/Cloned")["message"].get<std::string>().find("SMBIOS") != std::string::npos);
  object.merge_patch(phase_patch(object, Phase::succeeded, "", "node-a", kNow));
  for (const json& entry : object["status"]["conditions"]) CHECK(entry["type"] != "usbloop.dev/Cloned");
  const json booted = phase_patch(stored_vmi(), Phase::running, "", "node-a", kNow);
  for (const json& entry : booted["status"]["conditions"]) {
    CHECK(entry["type"] != "usbloop.dev/Cloned");  // it was booted
  }
}

TEST_CASE("a VMI that does not run is not ready, and the time of the change is kept while nothing changes") {
  const json patch = phase_patch(stored_vmi(), Phase::failed, "GuestCrashed", "node-a", kNow);
  CHECK(patch["status"]["reason"] == "GuestCrashed");
  CHECK(condition(patch, "Ready")["status"] == "False");
  CHECK(condition(patch, "Ready")["reason"] == "GuestNotRunning");
  CHECK(condition(patch, "Ready")["lastTransitionTime"] == "2026-01-01T00:00:00Z");
  json deleting = stored_vmi();
  deleting["metadata"]["deletionTimestamp"] = kNow;
  CHECK(condition(phase_patch(deleting, Phase::succeeded, "", "node-a", kNow), "Ready")["reason"] == "PodTerminating");
}

TEST_CASE("a VMI's phase, deletion and node are read from any shape of object") {
  CHECK(view_of(stored_vmi()).phase == Phase::scheduled);
  CHECK_FALSE(view_of(stored_vmi()).deleting);
  CHECK(node_of(stored_vmi()) == "node-a");
  for (const char* text : {"{}", R"({"status":null})", R"({"status":{"phase":3,"nodeName":[]},"metadata":7})"}) {
    CAPTURE(text);
    const json object = json::parse(text);
    CHECK(view_of(object).phase == Phase::pending);
    CHECK(node_of(object).empty());
    CHECK_NOTHROW(phase_patch(object, Phase::running, "", "node-a", kNow));
  }
}

TEST_CASE("an event names the VMI and the node") {
  const json event =
      vmi_event(stored_vmi(), "Warning", "Stopped", "The VirtualMachineInstance crashed.", "node-a", kNow);
  CHECK(event["involvedObject"]["uid"] == "u");
  CHECK(event["metadata"]["namespace"] == "default");
  CHECK(event["source"]["host"] == "node-a");
  CHECK(vmi_path(stored_vmi()) == "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/demo");
}

TEST_CASE("the condition Paused is there only while the guest is paused, and no other one is touched") {
  json object = stored_vmi();
  CHECK_FALSE(view_of(object).paused);
  const json pause = pause_patch(object, true, kNow);
  CHECK(pause["metadata"] == json{{"resourceVersion", "7"}});
  CHECK(pause["status"]["conditions"].size() == 3);
  CHECK(condition(pause, "Paused") == json{{"type", "Paused"},
                                           {"status", "True"},
                                           {"reason", "PausedByUser"},
                                           {"message", "VMI was paused by user"},
                                           {"lastProbeTime", kNow},
                                           {"lastTransitionTime", kNow}});
  object.merge_patch(pause);
  CHECK(view_of(object).paused);
  object.merge_patch(pause_patch(object, false, kNow));
  CHECK_FALSE(view_of(object).paused);
  CHECK(object["status"]["conditions"] == stored_vmi()["status"]["conditions"]);

  object.merge_patch(pause);
  object.merge_patch(phase_patch(object, Phase::failed, "GuestCrashed", "node-a", kNow));
  CHECK_FALSE(view_of(object).paused);
}
