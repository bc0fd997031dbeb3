#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"
#include "kube-sim/schema/strict_json.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kDemo;
using test::kMerge;
using test::kVmis;
using test::message;
using test::vmi;

namespace {

const std::string kApply = "application/apply-patch+yaml";
const std::string kNamespace = "/api/v1/namespaces/default";

Response apply(Api& api, const std::string& manager, const json& labels, const std::string& more = {}) {
  json object = vmi("demo");
  object["metadata"]["labels"] = labels;
  return api.call("PATCH", kDemo + "?fieldManager=" + manager + more, object, kApply);
}

json managers(const json& object) {
  json names = json::array();
  for (const json& entry : object["metadata"].value("managedFields", json::array())) names.push_back(entry["manager"]);
  return names;
}

}  // namespace

TEST_CASE("apply creates, two managers conflict, force takes over, and the same again makes no version") {
  Api api;
  const json made = api.ok(apply(api, "kubectl", {{"x", "1"}}), 201);
  CHECK(made["metadata"]["managedFields"][0]["manager"] == "kubectl");
  CHECK(made["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:labels"] == json::parse(R"({"f:x":{}})"));
  CHECK(api.ok(apply(api, "kubectl", {{"x", "1"}})) == made);
  const Response conflict = apply(api, "helm", {{"x", "2"}});
  CHECK(conflict.code == 409);
  CHECK(message(conflict) == "Apply failed with 1 conflict: conflict with \"kubectl\": .metadata.labels.x");
  CHECK(json::parse(conflict.body)["details"]["causes"][0]["reason"] == "FieldManagerConflict");
  const json forced = api.ok(apply(api, "helm", {{"x", "2"}}, "&force=true"));
  CHECK(forced["metadata"]["labels"]["x"] == "2");
  CHECK(message(apply(api, "kubectl", {{"x", "1"}})) ==
        "Apply failed with 1 conflict: conflict with \"helm\": .metadata.labels.x");
}

TEST_CASE("what a manager applies no more goes") {
  Api api;
  api.ok(apply(api, "one", {{"x", "1"}, {"y", "1"}}), 201);
  const json left = api.ok(apply(api, "one", {{"x", "1"}}));
  CHECK(left["metadata"]["labels"] == json({{"x", "1"}}));
}

TEST_CASE("creates, updates and patches are recorded under the manager or the client's name") {
  Api api;
  api.call("POST", std::string(kVmis) + "?fieldManager=kubectl-create", vmi("demo"));
  Request request{"PATCH", kDemo, {}, kMerge, "", R"({"metadata":{"labels":{"a":"b"}}})", api.user};
  request.user_agent = "launcher-sim/1.0";
  const json patched = api.ok(api.handle(request));
  CHECK(managers(patched) == json::array({"kubectl-create", "launcher-sim"}));
  const Response conflict = apply(api, "helm", {{"a", "c"}});
  CHECK(message(conflict) ==
        "Apply failed with 1 conflict: conflict with \"launcher-sim\" using kubevirt.io/v1: .metadata.labels.a");
  json stripped = patched;
  stripped["metadata"]["managedFields"] = json::array({json::object()});
  CHECK_FALSE(api.ok(api.call("PUT", kDemo, stripped))["metadata"].contains("managedFields"));
}

TEST_CASE("a status is applied through its subresource and owned there") {
  Api api;
  api.call("POST", "/api/v1/nodes", {{"metadata", {{"name", "n1"}}}});
  const auto report = [&](const char* status, const std::string& manager) {
    const json config = {{"apiVersion", "v1"},
                         {"kind", "Node"},
                         {"status", {{"conditions", json::array({{{"type", "Ready"}, {"status", status}}})}}}};
    return api.call("PATCH", "/api/v1/nodes/n1/status?fieldManager=" + manager, config, kApply);
  };
  const json node = api.ok(report("True", "kubelet"));
  CHECK(node["metadata"]["managedFields"][0]["subresource"] == "status");
  CHECK(message(report("False", "other")) ==
        "Apply failed with 1 conflict: conflict with \"kubelet\" with subresource \"status\": "
        ".status.conditions[type=\"Ready\"].status");
}

TEST_CASE("an apply needs a manager, the right version and no record of its own") {
  Api api;
  const Response nameless = api.call("PATCH", kDemo, vmi("demo"), kApply);
  CHECK(nameless.code == 422);
  CHECK(message(nameless) ==
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
  json object = vmi("demo");
  object["apiVersion"] = "v1";
  CHECK(message(api.call("PATCH", kDemo + "?fieldManager=x", object, kApply)) ==
        "Incorrect version specified in apply patch. Specified patch version: v1, expected: kubevirt.io/v1");
  const Response forced = api.call("PATCH", kNamespace + "?force=true", json::object(), kMerge);
  CHECK(forced.code == 422);
  CHECK(message(forced).find("force: Forbidden: may not be specified for non-apply patch") != std::string::npos);
}

TEST_CASE("an update needs a version where the kind demands one, and leases may come into being by it") {
  Api api;
  json object = api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  object["metadata"].erase("resourceVersion");
  const Response refused = api.call("PUT", kDemo, object);
  CHECK(refused.code == 422);
  CHECK(message(refused) ==
        "VirtualMachineInstance.kubevirt.io \"demo\" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be "
        "specified for an update");
  json space = api.ok(api.call("GET", kNamespace));
  space["metadata"].erase("resourceVersion");
  CHECK(api.call("PUT", kNamespace, space).code == 200);
  const json lease = {{"metadata", {{"name", "l"}}}, {"spec", {{"holderIdentity", "x"}}}};
  CHECK(api.call("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l", lease).code == 201);
  CHECK(api.call("PUT", std::string(kVmis) + "/nobody", vmi("nobody")).code == 404);
}

TEST_CASE("a UID that is not the object's is a conflict in the storage's words") {
  Api api;
  json object = api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  const std::string uid = object["metadata"]["uid"];
  object["metadata"]["uid"] = "other";
  CHECK(message(api.call("PUT", kDemo, object)) ==
        "Operation cannot be fulfilled on virtualmachineinstances.kubevirt.io \"demo\": StorageError: invalid object, "
        "Code: 4, Key: /registry/kubevirt.io/virtualmachineinstances/default/demo, ResourceVersion: 0, "
        "AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: " +
            uid);
  CHECK(message(api.call("DELETE", kDemo, {{"preconditions", {{"uid", "other"}}}})) ==
        "Operation cannot be fulfilled on VirtualMachineInstance.kubevirt.io \"demo\": the UID in the precondition "
        "(other) does not match the UID in record (" +
            uid + "). The object might have been deleted and then recreated");
}

TEST_CASE("no finalizer comes late") {
  Api api;
  json object = vmi("demo");
  object["metadata"]["finalizers"] = {"example.com/keep"};
  api.call("POST", kVmis, object);
  CHECK(api.ok(api.call("DELETE", kDemo))["metadata"]["deletionGracePeriodSeconds"] == 0);
  const json patch = {{"metadata", {{"finalizers", {"example.com/keep", "example.com/late"}}}}};
  const Response refused = api.call("PATCH", kDemo, patch, kMerge);
  CHECK(refused.code == 422);
  CHECK(message(refused).find("metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
                              "deleted, found new finalizers []string{\"example.com/late\"}") != std::string::npos);
}

TEST_CASE("options that make no sense are refused in kube-apiserver's words") {
  Api api;
  const auto refused = [&](const std::string& method, const std::string& query, const json& body = nullptr) {
    const Response response = api.call(method, (method == "POST" ? std::string(kVmis) : kDemo) + query, body);
    CHECK(response.code == 422);
    return message(response);
  };
  CHECK(refused("POST", "?dryRun=Some", vmi("demo")) ==
        "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: []string{\"Some\"}: supported values: "
        "\"All\"");
  CHECK(refused("POST", "?fieldValidation=Hard", vmi("demo")) ==
        "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Hard\": supported values: "
        "\"\", \"Ignore\", \"Strict\", \"Warn\"");
  CHECK(refused("DELETE", "?propagationPolicy=Some") ==
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Some\": supported values: "
        "\"Foreground\", \"Background\", \"Orphan\", \"nil\"");
  CHECK(refused("DELETE", "", {{"propagationPolicy", "Orphan"}, {"orphanDependents", true}})
            .find("orphanDependents and deletionPropagation cannot be both set") != std::string::npos);
  CHECK(refused("POST", "?fieldManager=" + std::string(129, 'm'), vmi("demo")).find("Too long") != std::string::npos);
  CHECK(api.call("DELETE", kDemo + "?gracePeriodSeconds=x").code == 400);
}

TEST_CASE("fields given twice are refused, warned about or ignored") {
  Api api;
  const std::string body =
      R"({"metadata":{"name":"demo","labels":{"a":"1","a":"2"}},"spec":{"domain":{}},"spec":{"domain":{}}})";
  const Response strict = api.raw("POST", std::string(kVmis) + "?fieldValidation=Strict", body);
  CHECK(strict.code == 400);
  CHECK(
      message(strict) ==
      "VirtualMachineInstance in version \"v1\" cannot be handled as a VirtualMachineInstance: strict decoding error: "
      "duplicate field \"metadata.labels.a\", duplicate field \"spec\"");
  CHECK(api.raw("POST", std::string(kVmis) + "?fieldValidation=Ignore&dryRun=All", body).headers.empty());
  const Response warned = api.raw("POST", kVmis, body);
  REQUIRE(warned.headers.size() == 2);
  CHECK(warned.headers[1] == std::pair<std::string, std::string>("Warning", R"(299 - "duplicate field \"spec\"")"));
}

TEST_CASE("fields that a kind does not have are refused, warned about or ignored") {
  Api api;
  json object = vmi("demo");
  object["spec"]["foo"] = 1;
  object["spec"]["domain"]["devices"]["disks"] = json::array({{{"name", "a"}, {"nmae", "b"}}});
  const Response strict = api.call("POST", std::string(kVmis) + "?fieldValidation=Strict", object);
  CHECK(strict.code == 400);
  CHECK(
      message(strict) ==
      "VirtualMachineInstance in version \"v1\" cannot be handled as a VirtualMachineInstance: strict decoding error: "
      "unknown field \"spec.domain.devices.disks[0].nmae\", unknown field \"spec.foo\"");
  CHECK(api.call("POST", std::string(kVmis) + "?fieldValidation=Ignore&dryRun=All", object).headers.empty());
  const Response warned = api.call("POST", kVmis, object);
  CHECK(warned.code == 201);
  REQUIRE(warned.headers.size() == 2);
  CHECK(warned.headers[1].second == R"(299 - "unknown field \"spec.foo\"")");
  const json patch = {{"metadata", {{"lables", json::object()}}}};
  const Response patched = api.call("PATCH", kDemo + "?fieldValidation=Strict", patch, kMerge);
  CHECK(patched.code == 422);
  CHECK(message(patched).ends_with("strict decoding error: unknown field \"metadata.lables\""));
  const json directive = {{"metadata", {{"$setElementOrder/finalizers", json::array()}}}};
  CHECK(api.call("PATCH", kNamespace + "?fieldValidation=Strict", directive, "application/strategic-merge-patch+json")
            .code == 200);
}

TEST_CASE("duplicates are found wherever they are, and texts that are no JSON have none") {
  CHECK(duplicate_fields(R"({"a":[{"b":1},{"b":1,"b":2}]})") == std::vector<std::string>{"duplicate field \"a[1].b\""});
  CHECK(duplicate_fields(R"({"a":{"b":{"c":1,"c":1}},"d":[[{"e":1,"e":2}]]})") ==
        std::vector<std::string>{"duplicate field \"a.b.c\"", "duplicate field \"d[0][0].e\""});
  CHECK(duplicate_fields("{\"a\":1,\"a\"").empty());
  CHECK(duplicate_fields("").empty());
  std::string many = "{\"x\":1";
  for (int i = 0; i < 1000; ++i) many += ",\"x\":1";
  CHECK(duplicate_fields(many + "}").size() == 100);
}
