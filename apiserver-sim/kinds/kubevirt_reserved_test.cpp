#include "apiserver-sim/kinds/kubevirt_reserved.h"

#include <doctest/doctest.h>

#include "apiserver-sim/controllers/virt_controller.h"
#include "apiserver-sim/test_support.h"
#include "kube-sim/security/token_file.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kDemo;
using test::kMerge;
using test::kVmis;
using test::message;
using test::vmi;

namespace {

const std::string kMachines = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
constexpr const char* kApplyPatch = "application/apply-patch+yaml";
constexpr const char* kJsonPatch = "application/json-patch+json";
constexpr const char* kModified =
    "modification of the following reserved kubevirt.io/ labels on a VMI object is prohibited";
constexpr const char* kCreated = "creation of the following reserved kubevirt.io/ labels on a VMI object is prohibited";

User editor() { return {"editor", "editor", {kEditorsGroup, "system:authenticated"}}; }

/// A VMI that runs on n1.
void run_demo(Api& api) {
  api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  api.merge_as_node(kDemo, {{"metadata", {{"labels", {{"kubevirt.io/nodeName", "n1"}, {"app", "x"}}}}},
                            {"status", {{"phase", "Running"}, {"nodeName", "n1"}}}});
}

void check_refused(const Response& response) {
  CHECK(response.code == 422);
  const json status = json::parse(response.body);
  CHECK(status["message"] ==
        std::string("admission webhook \"virtualmachineinstances-update-validator.kubevirt.io\" denied the request: ") +
            kModified);
  CHECK(status["reason"] == "Invalid");
  CHECK(status["details"]["causes"] == json::array({{{"reason", "FieldValueNotSupported"}, {"message", kModified}}}));
}

}  // namespace

TEST_CASE("KubeVirt's accounts and nodes are told from everybody else") {
  CHECK(is_kubevirt_component(test::node_user()));
  CHECK(is_kubevirt_component(virt_controller_user()));
  for (const char* name : {"kubernetes-admin", "system:serviceaccount:kubevirt:kubevirt-operator",
                           "system:serviceaccount:kubevirt:default", "system:serviceaccount:other:kubevirt-controller",
                           "system:serviceaccount:kubevirt:kubevirt-controllers", ""}) {
    CAPTURE(name);
    CHECK_FALSE(is_kubevirt_component({name, "", {"system:masters"}}));
  }
}

TEST_CASE("no user changes the reserved labels of a VMI, by no way of writing") {
  for (const User& user : {editor(), test::admin()}) {
    CAPTURE(user.name);
    Api api;
    run_demo(api);
    api.user = user;
    const json before = api.get(kDemo);
    for (const json& value : {json(nullptr), json("n2"), json("")}) {
      check_refused(api.call("PATCH", kDemo, {{"metadata", {{"labels", {{"kubevirt.io/nodeName", value}}}}}}, kMerge));
    }
    check_refused(api.call("PATCH", kDemo, {{"metadata", {{"labels", nullptr}}}}, kMerge));
    check_refused(api.call("PATCH", kDemo, {{"metadata", {{"labels", {{"kubevirt.io/created-by", "me"}}}}}}, kMerge));
    check_refused(api.call("PATCH", kDemo,
                           json::array({{{"op", "remove"}, {"path", "/metadata/labels/kubevirt.io~1nodeName"}}}),
                           kJsonPatch));
    json without = before;
    without["metadata"]["labels"].erase("kubevirt.io/nodeName");
    check_refused(api.call("PUT", kDemo, without));
    json applied = vmi("demo");
    applied["metadata"]["labels"]["kubevirt.io/nodeName"] = "n2";
    check_refused(api.call("PATCH", kDemo + "?fieldManager=me&force=true", applied, kApplyPatch));
    CHECK(api.get(kDemo) == before);
    // All else is as free as before.
    const json other = {{"metadata", {{"labels", {{"app", nullptr}, {"kubevirt.io/domain", "d"}}}}}};
    CHECK(api.ok(api.call("PATCH", kDemo, other, kMerge))["metadata"]["labels"] ==
          json{{"kubevirt.io/domain", "d"}, {"kubevirt.io/nodeName", "n1"}});
  }
}

TEST_CASE("a user's status of a VMI is put back without a word, by every way of writing") {
  for (const User& user : {editor(), test::admin()}) {
    CAPTURE(user.name);
    Api api;
    run_demo(api);
    api.user = user;
    const json status = api.get(kDemo)["status"];
    const auto kept = [&](const Response& response) {
      CHECK(api.ok(response)["status"] == status);
      CHECK(api.get(kDemo)["status"] == status);
    };
    kept(api.call("PATCH", kDemo, {{"status", {{"phase", "Failed"}, {"nodeName", "n2"}}}}, kMerge));
    kept(api.call("PATCH", kDemo, {{"status", nullptr}}, kMerge));
    kept(api.call("PATCH", kDemo, json::array({{{"op", "remove"}, {"path", "/status/nodeName"}}}), kJsonPatch));
    json replaced = api.get(kDemo);
    replaced.erase("status");
    kept(api.call("PUT", kDemo, replaced));
    json applied = vmi("demo");
    applied["status"] = {{"phase", "Failed"}};
    kept(api.call("PATCH", kDemo + "?fieldManager=me&force=true", applied, kApplyPatch));
    // There is no such subresource, but a user without the right to it does not learn that.
    const int code = user.name == "editor" ? 403 : 404;
    CHECK(api.call("PATCH", kDemo + "/status", {{"status", {{"phase", "Failed"}}}}, kMerge).code == code);
  }
  Api api;
  json born = vmi("born");
  born["status"] = {{"phase", "Running"}, {"nodeName", "n2"}};
  const json made = api.ok(api.call("POST", kVmis, born), 201)["status"];
  CHECK(made["phase"] == "Pending");
  CHECK_FALSE(made.contains("nodeName"));
}

TEST_CASE("the labels that are reserved are refused in new VMIs and in a VM's template") {
  Api api;
  api.user = editor();
  for (const char* label : {"kubevirt.io/created-by", "kubevirt.io/install-strategy", "kubevirt.io/migrationJobUID",
                            "kubevirt.io/migrationTargetNodeName", "kubevirt.io/nodeName", "kubevirt.io/schedulable"}) {
    CAPTURE(label);
    json object = vmi("x");
    object["metadata"]["labels"][label] = "n1";
    const Response refused = api.call("POST", kVmis, object);
    CHECK(refused.code == 422);
    CHECK(
        message(refused) ==
        std::string("admission webhook \"virtualmachineinstances-create-validator.kubevirt.io\" denied the request: ") +
            kCreated);
    CHECK(json::parse(refused.body)["details"]["causes"][0]["field"] == "metadata.labels");
    CHECK(api.call("PATCH", std::string(kVmis) + "/x?fieldManager=me", object, kApplyPatch).code == 422);
  }
  json vm = {
      {"metadata", {{"name", "v"}}},
      {"spec",
       {{"runStrategy", "Halted"},
        {"template", {{"metadata", {{"labels", {{"kubevirt.io/nodeName", "n"}}}}}, {"spec", vmi("v")["spec"]}}}}}};
  const Response refused = api.call("POST", kMachines, vm);
  CHECK(refused.code == 422);
  CHECK(message(refused) ==
        std::string("admission webhook \"virtualmachine-validator.kubevirt.io\" denied the request: ") + kCreated);
  CHECK(json::parse(refused.body)["details"]["causes"][0]["field"] == "spec.template.metadata.labels");
  const json labels = vm["spec"]["template"]["metadata"];
  vm["spec"]["template"].erase("metadata");
  api.ok(api.call("POST", kMachines, vm), 201);
  CHECK(api.call("PATCH", kMachines + "/v", {{"spec", {{"template", {{"metadata", labels}}}}}}, kMerge).code == 422);
  json free = vmi("free");
  free["metadata"]["labels"]["kubevirt.io/domain"] = "d";
  CHECK(api.call("POST", kVmis, free).code == 201);
}

TEST_CASE("whoever may only edit writes no status of a VM and of a pod, and moves no pod to another node") {
  Api api;
  json vm = {{"metadata", {{"name", "v"}}},
             {"spec", {{"runStrategy", "Halted"}, {"template", {{"spec", vmi("v")["spec"]}}}}},
             {"status", {{"ready", true}}}};
  json pod = {{"metadata", {{"name", "p"}}},
              {"spec", {{"nodeName", "n1"}, {"containers", json::array({{{"name", "c"}, {"image", "i"}}})}}},
              {"status", {{"phase", "Running"}}}};
  api.user = editor();
  CHECK_FALSE(api.ok(api.call("POST", kMachines, vm), 201).contains("status"));
  CHECK(api.ok(api.call("POST", test::kPods, pod), 201)["status"]["phase"] == "Pending");
  const json ready = {{"status", {{"ready", true}}}};
  CHECK_FALSE(api.ok(api.call("PATCH", kMachines + "/v", ready, kMerge)).contains("status"));
  CHECK(api.call("PATCH", kMachines + "/v/status", ready, kMerge).code == 403);
  const json running = {{"status", {{"phase", "Running"}}}};
  CHECK(api.ok(api.call("PATCH", test::kPods + "/p", running, kMerge))["status"]["phase"] == "Pending");
  CHECK(api.call("PATCH", test::kPods + "/p/status", running, kMerge).code == 403);
  CHECK(api.call("PATCH", test::kPods + "/p", {{"spec", {{"nodeName", "n2"}}}}, kMerge).code == 422);
  CHECK(api.call("PATCH", "/api/v1/nodes/n1", {{"spec", {{"unschedulable", true}}}}, kMerge).code == 403);
}
