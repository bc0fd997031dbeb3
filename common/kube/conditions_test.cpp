#include "common/kube/conditions.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace usbloop::kube;
using nlohmann::json;

TEST_CASE("a condition is put in place of its type's, and its transition time is that of its status") {
  json object;
  set_condition(object, {"Ready", "False", "Starting", "not yet"}, "T1");
  set_condition(object, {"Synced", "True"}, "T1");
  CHECK(object["status"]["conditions"] == json::parse(R"([
    {"type": "Ready", "status": "False", "lastProbeTime": null, "lastTransitionTime": "T1",
     "reason": "Starting", "message": "not yet"},
    {"type": "Synced", "status": "True", "lastProbeTime": null, "lastTransitionTime": "T1"}])"));
  set_condition(object, {"Ready", "False", "Failed"}, "T2");
  CHECK(*find_condition(object, "Ready") == json::parse(R"({"type": "Ready", "status": "False", "lastProbeTime": null,
    "lastTransitionTime": "T1", "reason": "Failed"})"));
  set_condition(object, {"Ready", "True"}, "T3");
  CHECK(find_condition(object, "Ready")->at("lastTransitionTime") == "T3");
  CHECK(object["status"]["conditions"].size() == 2);
  remove_condition(object, "Ready");
  CHECK(find_condition(object, "Ready") == nullptr);
  CHECK(find_condition(object, "Synced") != nullptr);
}

TEST_CASE("a condition has the form of its kind") {
  json object;
  set_condition(object, {.type = "Established", .status = "True", .form = ConditionForm::plain}, "T1");
  set_condition(object,
                {.type = "DisruptionAllowed",
                 .status = "False",
                 .reason = "InsufficientPods",
                 .form = ConditionForm::common,
                 .observed_generation = 3},
                "T1");
  CHECK(object["status"]["conditions"] == json::parse(R"([
    {"type": "Established", "status": "True", "lastTransitionTime": "T1"},
    {"type": "DisruptionAllowed", "status": "False", "lastTransitionTime": "T1", "reason": "InsufficientPods",
     "message": "", "observedGeneration": 3}])"));
}

TEST_CASE("conditions that are none are left out of account") {
  json object = {{"status", {{"conditions", {1, "Ready", nullptr}}}}};
  CHECK(find_condition(object, "Ready") == nullptr);
  remove_condition(object, "Ready");
  CHECK(object["status"]["conditions"].size() == 3);
  object["status"]["conditions"] = "none";
  set_condition(object, {"Ready", "True"}, "T1");
  CHECK(object["status"]["conditions"].size() == 1);
}
