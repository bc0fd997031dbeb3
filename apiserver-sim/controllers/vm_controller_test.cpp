#include "apiserver-sim/controllers/vm_controller.h"

#include <doctest/doctest.h>

#include <limits>

#include "apiserver-sim/kinds/vm.h"
#include "apiserver-sim/subresource/vm_lifecycle.h"
#include "apiserver-sim/test_support.h"
#include "common/timestamp.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::comes_true;
using test::kMerge;
using test::kVmis;
using test::message;
using usbloop::format_time;
using Action = VmDecision::Action;

namespace {

const std::string kVms = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
const std::string kDemoVm = kVms + "/demo";
const std::string kDemoVmi = std::string(kVmis) + "/demo";
constexpr std::int64_t kToday = 1'800'000'000;

json vm(const char* strategy) {
  return {{"apiVersion", "kubevirt.io/v1"},
          {"kind", "VirtualMachine"},
          {"metadata", {{"name", "demo"}, {"namespace", "default"}, {"uid", "vm-uid"}}},
          {"spec",
           {{"runStrategy", strategy},
            {"template",
             {{"metadata", {{"labels", {{"app", "demo"}}}}}, {"spec", {{"domain", {{"devices", json::object()}}}}}}}}}};
}

json vmi_in(const char* phase, const char* uid = "vmi-uid") {
  return {{"metadata", {{"name", "demo"}, {"uid", uid}}}, {"status", {{"phase", phase}}}};
}

json requests(std::initializer_list<json> list) { return {{"stateChangeRequests", json(list)}}; }
json stop_of(const char* uid) { return {{"action", "Stop"}, {"uid", uid}}; }
const json kStart = {{"action", "Start"}};

void create(Api& api, const char* strategy) {
  json object = vm(strategy);
  object["metadata"].erase("uid");
  api.ok(api.call("POST", kVms, object), 201);
}

Response put(Api& api, const std::string& action, const std::string& body = {}) {
  Request request;
  request.method = "PUT";
  request.body = body;
  RequestInfo info;
  info.namespace_ = "default";
  info.name = "demo";
  info.subresource = action;
  const auto handler = action == "start" ? start_vm : action == "stop" ? stop_vm : restart_vm;
  return handler(api.registry, *api.store, request, info);
}

std::string status_of(Api& api) { return api.get(kDemoVm).value("/status/printableStatus"_json_pointer, ""); }

}  // namespace

TEST_CASE("what is done for a VM follows from its strategy, its VMI and what was asked") {
  struct Row {
    const char* strategy;
    json status;
    json vmi;
    Action action;
  };
  const json none = json::object();
  const Row rows[] = {
      {"Always", none, nullptr, Action::start},
      {"Always", none, vmi_in("Running"), Action::none},
      {"Always", none, vmi_in("Succeeded"), Action::stop},
      {"Always", none, vmi_in("Failed"), Action::stop},
      {"Always", requests({stop_of("vmi-uid"), kStart}), vmi_in("Running"), Action::stop},
      {"Always", requests({stop_of("older"), kStart}), vmi_in("Running"), Action::none},
      {"RerunOnFailure", none, nullptr, Action::none},
      {"RerunOnFailure", requests({kStart}), nullptr, Action::start},
      {"RerunOnFailure", none, vmi_in("Failed"), Action::restart},
      {"RerunOnFailure", none, vmi_in("Succeeded"), Action::stop},
      {"Manual", none, nullptr, Action::none},
      {"Manual", requests({kStart}), nullptr, Action::start},
      {"Manual", none, vmi_in("Failed"), Action::none},
      {"Manual", requests({stop_of("vmi-uid")}), vmi_in("Running"), Action::stop},
      {"Once", none, nullptr, Action::start},
      {"Once", none, vmi_in("Failed"), Action::none},
      {"Halted", none, nullptr, Action::none},
      {"Halted", none, vmi_in("Running"), Action::stop},
      {"Halted", requests({kStart}), nullptr, Action::make_always},
  };
  for (const Row& row : rows) {
    CAPTURE(row.strategy);
    CAPTURE(row.status.dump());
    CAPTURE(row.vmi.dump());
    json object = vm(row.strategy);
    object["status"] = row.status;
    CHECK(decide_vm(object, row.vmi.is_null() ? nullptr : &row.vmi, kToday).action == row.action);
  }
  json deleted = vm("Always");
  deleted["metadata"]["deletionTimestamp"] = format_time(kToday);
  const json running = vmi_in("Running");
  CHECK(decide_vm(deleted, &running, kToday).action == Action::stop);
  CHECK(decide_vm(deleted, nullptr, kToday).action == Action::release);
  deleted["metadata"]["finalizers"] = {"orphan"};
  CHECK(decide_vm(deleted, &running, kToday).action == Action::release);
}

TEST_CASE("a VMI that never ran is counted once, and the next start waits longer each time") {
  json object = vm("Always");
  std::int64_t last = 0;
  for (int i = 1; i <= 8; ++i) {
    const std::string uid = "vmi-" + std::to_string(i);
    const json failed = vmi_in("Failed", uid.c_str());
    object = advance_vm(advance_vm(object, &failed, kToday), &failed, kToday);
    CHECK(object["status"]["startFailure"]["consecutiveFailCount"] == i);
    CHECK(object["status"]["printableStatus"] == "CrashLoopBackOff");
    const VmDecision decision = decide_vm(object, nullptr, kToday);
    CHECK(decision.action == Action::none);
    REQUIRE(decision.again);
    CHECK(decision.again->count() <= 300);
    CHECK(decision.again->count() >= std::min<std::int64_t>(300, 10 * i * i));
    last = decision.again->count();
  }
  CHECK(last == 300);
  CHECK(decide_vm(object, nullptr, kToday + 300).action == Action::start);
  json ran = vmi_in("Running", "vmi-9");
  ran["status"]["phaseTransitionTimestamps"] = json::array({{{"phase", "Running"}}});
  object = advance_vm(object, &ran, kToday);
  CHECK_FALSE(object["status"].contains("startFailure"));
  CHECK(object["status"]["printableStatus"] == "Running");
}

TEST_CASE("a VM says in one word what it does") {
  const json object = vm("Always");
  const auto word = [&](json instance) { return printable_status(object, &instance); };
  CHECK(printable_status(object, nullptr) == "Stopped");
  CHECK(word(vmi_in("Pending")) == "Starting");
  CHECK(word(vmi_in("Scheduled")) == "Starting");
  CHECK(word(vmi_in("Running")) == "Running");
  CHECK(word(vmi_in("Succeeded")) == "Stopped");
  json stopping = vmi_in("Running");
  stopping["metadata"]["deletionTimestamp"] = format_time(kToday);
  CHECK(word(stopping) == "Stopping");
  json paused = vmi_in("Running");
  paused["status"]["conditions"] = json::array({{{"type", "Paused"}, {"status", "True"}}});
  CHECK(word(paused) == "Paused");
  json homeless = vmi_in("Scheduling");
  homeless["status"]["conditions"] =
      json::array({{{"type", "PodScheduled"}, {"status", "False"}, {"reason", "Unschedulable"}}});
  CHECK(word(homeless) == "ErrorUnschedulable");
  json deleted = object;
  deleted["metadata"]["deletionTimestamp"] = format_time(kToday);
  CHECK(printable_status(deleted, nullptr) == "Terminating");
}

TEST_CASE("running and runStrategy exclude each other, in the webhook's words") {
  Api api;
  json object = vm("Always");
  object["metadata"].erase("uid");
  object["spec"]["running"] = true;
  const Response both = api.call("POST", kVms, object);
  CHECK(both.code == 422);
  CHECK(json::parse(both.body)["details"]["causes"][0]["field"] == "spec.running");
  CHECK(message(both) ==
        "admission webhook \"virtualmachine-validator.kubevirt.io\" denied the request: Running and RunStrategy are "
        "mutually exclusive. Note that Running is deprecated, please use RunStrategy instead");
  object["spec"].erase("running");
  object["spec"]["runStrategy"] = "Sometimes";
  CHECK(message(api.call("POST", kVms, object)) ==
        "admission webhook \"virtualmachine-validator.kubevirt.io\" denied the request: Invalid RunStrategy "
        "(Sometimes)");
  object["spec"].erase("runStrategy");
  CHECK(message(api.call("POST", kVms, object)).ends_with("RunStrategy must be specified"));
  object["spec"].erase("template");
  CHECK(json::parse(api.call("POST", kVms, object).body)["details"]["causes"][0]["field"] == "spec.template");
}

TEST_CASE("a VM makes its VMI, makes it anew when it is over, and takes it away when it is halted") {
  Api api;
  const VmController controller(api.registry, *api.store, api.hub);
  create(api, "Always");
  REQUIRE(comes_true([&] { return !api.get(kDemoVmi).is_null(); }));
  const json made = api.get(kDemoVmi);
  CHECK(made["metadata"]["ownerReferences"][0]["name"] == "demo");
  CHECK(made["metadata"]["labels"]["app"] == "demo");
  CHECK(comes_true([&] { return status_of(api) == "Starting"; }));
  CHECK(api.get(kDemoVm)["metadata"]["finalizers"] == json::array({kVmFinalizer}));
  CHECK(api.get(kDemoVm)["status"]["created"] == true);

  const json ran = {{"phase", "Succeeded"},
                    {"phaseTransitionTimestamps", json::array({{{"phase", "Running"}}, {{"phase", "Succeeded"}}})}};
  api.merge_as_node(kDemoVmi, {{"status", ran}});
  CHECK(comes_true([&] {
    const json now = api.get(kDemoVmi);
    return !now.is_null() && now["metadata"]["uid"] != made["metadata"]["uid"];
  }));

  api.ok(api.call("PATCH", kDemoVm, {{"spec", {{"runStrategy", "Halted"}}}}, kMerge));
  CHECK(comes_true([&] { return api.get(kDemoVmi).is_null() && status_of(api) == "Stopped"; }));
  CHECK(api.get(kDemoVm)["status"]["conditions"][0]["reason"] == "VMINotExists");
  api.ok(api.call("DELETE", kDemoVm));
  CHECK(comes_true([&] { return api.call("GET", kDemoVm).code == 404; }));
}

TEST_CASE("a deleted VM goes after its VMI") {
  Api api;
  const VmController controller(api.registry, *api.store, api.hub);
  create(api, "Always");
  REQUIRE(comes_true([&] { return !api.get(kDemoVmi).is_null(); }));
  api.merge_as_node(kDemoVmi, {{"status", {{"nodeName", "n1"}}}});  // a node has it now
  api.ok(api.call("DELETE", kDemoVm));
  CHECK(comes_true([&] { return api.get(kDemoVmi)["metadata"].contains("deletionTimestamp"); }));
  CHECK(comes_true([&] { return status_of(api) == "Terminating"; }));
  api.ok(api.call("PATCH", kDemoVmi, {{"metadata", {{"finalizers", nullptr}}}}, kMerge));
  CHECK(comes_true([&] { return api.call("GET", kDemoVm).code == 404; }));
}

TEST_CASE("start, stop and restart are accepted or refused as virt-api does") {
  Api api;
  CHECK(put(api, "start").code == 404);
  CHECK(message(put(api, "stop")) == "virtualmachine.kubevirt.io \"demo\" not found");
  create(api, "Halted");
  const std::string conflict = "Operation cannot be fulfilled on virtualmachine.kubevirt.io \"demo\": ";
  CHECK(message(put(api, "stop")) == conflict + "VM is not running");
  CHECK(message(put(api, "restart")) == conflict + "RunStategy Halted does not support manual restart requests");
  CHECK(put(api, "start", "[").code == 400);
  CHECK(put(api, "start", R"({"dryRun":["All"]})").code == 202);
  CHECK(api.get(kDemoVm)["spec"]["runStrategy"] == "Halted");
  const Response started = put(api, "start", "{}\n");
  CHECK(started.code == 202);
  CHECK(started.body.empty());
  CHECK(api.get(kDemoVm)["spec"]["runStrategy"] == "Always");
  CHECK(message(put(api, "start")) == conflict + "Always does not support manual start requests");
  CHECK(message(put(api, "restart")) == conflict + "VM is not running: Halted");
  CHECK(message(put(api, "restart", R"({"gracePeriodSeconds":5})")) ==
        "For force restart, only gracePeriod=0 is supported for now");

  const VmController controller(api.registry, *api.store, api.hub);
  REQUIRE(comes_true([&] { return !api.get(kDemoVmi).is_null(); }));
  const std::string uid = api.get(kDemoVmi)["metadata"]["uid"];
  api.merge_as_node(kDemoVmi, {{"status", {{"phase", "Running"}}}});
  CHECK(message(put(api, "start")) == conflict + "VM is already running");
  CHECK(put(api, "restart").code == 202);
  CHECK(comes_true([&] {
    const json now = api.get(kDemoVmi);
    return !now.is_null() && now["metadata"]["uid"] != uid;
  }));
  CHECK(comes_true([&] { return !api.get(kDemoVm)["status"].contains("stateChangeRequests"); }));
  CHECK(put(api, "stop").code == 202);
  CHECK(api.get(kDemoVm)["spec"]["runStrategy"] == "Halted");
  CHECK(comes_true([&] { return status_of(api) == "Stopped"; }));
}

TEST_CASE("the grace period that is given with a stop is the VMI's from then on, also while it is being stopped") {
  Api api;
  const VmController controller(api.registry, *api.store, api.hub);
  create(api, "Always");
  api.ok(api.call("PATCH", kDemoVm, {{"spec", {{"template", {{"spec", {{"terminationGracePeriodSeconds", 3600}}}}}}}},
                  kMerge));
  REQUIRE(comes_true([&] { return !api.get(kDemoVmi).is_null(); }));
  api.merge_as_node(kDemoVmi, {{"spec", {{"terminationGracePeriodSeconds", 3600}}},
                               {"status", {{"nodeName", "n1"}, {"phase", "Running"}}}});
  const auto grace = [&] { return api.get(kDemoVmi).value("/spec/terminationGracePeriodSeconds"_json_pointer, -1L); };
  SUBCASE("stop, and stop again by force") {
    CHECK(put(api, "stop").code == 202);
    REQUIRE(comes_true([&] { return api.get(kDemoVmi)["metadata"].contains("deletionTimestamp"); }));
    CHECK(grace() == 3600);
    CHECK(put(api, "stop", R"({"gracePeriod":7})").code == 202);
    CHECK(grace() == 7);
    CHECK(put(api, "stop", R"({"gracePeriod":0})").code == 202);
    CHECK(grace() == 0);
  }
  SUBCASE("numbers beyond all bounds") {
    CHECK(message(put(api, "stop", R"({"gracePeriod":-1})")) == "gracePeriod has to be greater or equal to 0");
    CHECK(message(put(api, "stop", R"({"gracePeriod":-9223372036854775808})")) ==
          "gracePeriod has to be greater or equal to 0");
    CHECK(put(api, "stop", R"({"gracePeriod":9223372036854775807})").code == 202);
    CHECK(grace() == std::numeric_limits<std::int64_t>::max());
  }
  SUBCASE("a deletion with less time") {
    api.ok(api.call("DELETE", kDemoVm + "?gracePeriodSeconds=20"));
    CHECK(comes_true([&] { return grace() == 20; }));
    api.ok(api.call("DELETE", kDemoVm + "?gracePeriodSeconds=60"));  // a second one does not lengthen it
    api.ok(api.call("DELETE", kDemoVm + "?gracePeriodSeconds=0"));
    CHECK(comes_true([&] { return grace() == 0; }));
    CHECK(api.get(kDemoVmi)["metadata"]["deletionGracePeriodSeconds"] == 0);
  }
  SUBCASE("a deletion with more time or none said changes nothing") {
    api.ok(api.call("DELETE", kDemoVmi + "?gracePeriodSeconds=86400"));
    CHECK(grace() == 3600);
    api.ok(api.call("DELETE", kDemoVmi));
    CHECK(grace() == 3600);
    api.ok(api.call("DELETE", kDemoVmi + "?gracePeriodSeconds=-4"));
    CHECK(grace() == 0);
  }
}

TEST_CASE("a VM that is started by hand runs until it is stopped by hand") {
  Api api;
  const VmController controller(api.registry, *api.store, api.hub);
  create(api, "Manual");
  REQUIRE(comes_true([&] { return status_of(api) == "Stopped"; }));
  CHECK(put(api, "start", R"({"paused":true})").code == 202);
  REQUIRE(comes_true([&] { return !api.get(kDemoVmi).is_null(); }));
  CHECK(api.get(kDemoVmi)["spec"]["startStrategy"] == "Paused");
  CHECK(comes_true([&] { return !api.get(kDemoVm)["status"].contains("stateChangeRequests"); }));
  CHECK(put(api, "stop").code == 202);
  CHECK(comes_true([&] { return api.get(kDemoVmi).is_null() && status_of(api) == "Stopped"; }));
}
