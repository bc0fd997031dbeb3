#include "kube-sim/rest/api_handler.h"

#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kDemo;
using test::kVmis;
using test::message;
using test::vmi;

namespace {

json causes(const Response& response) { return json::parse(response.body)["details"].value("causes", json::array()); }

}  // namespace

TEST_CASE("a created VMI has what the API server and KubeVirt's webhook give it") {
  Api api;
  const json made = api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  const json& metadata = made["metadata"];
  CHECK(metadata["namespace"] == "default");
  CHECK(metadata["uid"].get<std::string>().size() == 36);
  CHECK(metadata["generation"] == 1);
  CHECK(metadata["finalizers"] == json::array({"kubevirt.io/foregroundDeleteVirtualMachine"}));
  CHECK(metadata.contains("creationTimestamp"));
  CHECK(made["status"]["phase"] == "Pending");
  CHECK(made["spec"]["architecture"] == "amd64");
  CHECK(api.ok(api.call("GET", kDemo)) == made);
}

TEST_CASE("a name is made from generateName, and a second object of a name is refused") {
  Api api;
  json object = vmi("");
  object["metadata"] = {{"generateName", "run-"}};
  const std::string name = api.ok(api.call("POST", kVmis, object), 201)["metadata"]["name"];
  CHECK(name.starts_with("run-"));
  CHECK(name.size() == 9);
  api.call("POST", kVmis, vmi("demo"));
  const Response again = api.call("POST", kVmis, vmi("demo"));
  CHECK(again.code == 409);
  CHECK(message(again) == "virtualmachineinstances.kubevirt.io \"demo\" already exists");
}

TEST_CASE("what a VMI lacks or has wrong is named by its field") {
  Api api;
  struct Case {
    const char* patch;
    const char* field;
    const char* reason;
  };
  for (const Case& entry :
       {Case{R"({"spec":null})", "spec", "FieldValueRequired"},
        Case{R"({"spec":{"domain":null}})", "spec.domain", "FieldValueRequired"},
        Case{R"({"spec":{"domain":"x"}})", "spec.domain", "FieldValueTypeInvalid"},
        Case{R"({"spec":{"domain":{"devices":{"clientPassthrough":true}}}})", "spec.domain.devices.clientPassthrough",
             "FieldValueTypeInvalid"},
        Case{R"({"spec":{"domain":{"memory":{"guest":"much"}}}})", "spec.domain.memory.guest", "FieldValueInvalid"},
        Case{R"({"spec":{"domain":{"resources":{"requests":{"memory":[]}}}}})", "spec.domain.resources.requests.memory",
             "FieldValueTypeInvalid"},
        Case{R"({"spec":{"domain":{"cpu":{"cores":0}}}})", "spec.domain.cpu.cores", "FieldValueInvalid"},
        Case{R"({"spec":{"nodeSelector":{"a":1}}})", "spec.nodeSelector.a", "FieldValueTypeInvalid"},
        Case{R"({"metadata":{"name":"Big_Name"}})", "metadata.name", "FieldValueInvalid"},
        Case{R"({"metadata":{"name":null}})", "metadata.name", "FieldValueRequired"},
        Case{R"({"metadata":{"labels":{"a":"b c"}}})", "metadata.labels", "FieldValueInvalid"},
        Case{R"({"metadata":{"finalizers":"x"}})", "metadata.finalizers", "FieldValueTypeInvalid"}}) {
    CAPTURE(entry.patch);
    json object = vmi("demo");
    object.merge_patch(json::parse(entry.patch));
    const Response refused = api.call("POST", kVmis, object);
    CHECK(refused.code == 422);
    // Where the object is wrong in such a way, the rules of the schema are not looked at, and the server says so.
    REQUIRE(causes(refused).size() == (entry.reason == std::string("FieldValueInvalid") ? 1 : 2));
    CHECK(causes(refused)[0]["field"] == entry.field);
    CHECK(causes(refused)[0]["reason"] == entry.reason);
  }
}

TEST_CASE("fields that a kind does not have are not stored, neither by a creation nor by a change") {
  Api api;
  json object = vmi("demo");
  object["spec"]["domain"]["devices"]["clientPasstrough"] = json::object();
  object["metadata"]["colour"] = "red";
  const json made = api.ok(api.call("POST", kVmis, object), 201);
  CHECK_FALSE(made["spec"]["domain"]["devices"].contains("clientPasstrough"));
  CHECK_FALSE(made["metadata"].contains("colour"));
  const json patch = {{"metadata", {{"colour", "red"}}}};
  CHECK(api.ok(api.call("PATCH", kDemo, patch, "application/merge-patch+json")) == made);
}

TEST_CASE("objects that do not belong where they are sent are refused") {
  Api api;
  json object = vmi("demo");
  object["metadata"]["namespace"] = "other";
  CHECK(message(api.call("POST", kVmis, object)) ==
        "the namespace of the provided object does not match the namespace sent on the request");
  object = vmi("demo");
  object["kind"] = "Pod";
  CHECK(api.call("POST", kVmis, object).code == 422);
  object = vmi("demo");
  object["metadata"]["resourceVersion"] = "1";
  CHECK(message(api.call("POST", kVmis, object)) == "resourceVersion should not be set on objects to be created");
  CHECK(message(api.call("POST", "/apis/kubevirt.io/v1/namespaces/nowhere/virtualmachineinstances", vmi("demo"))) ==
        "namespaces \"nowhere\" not found");
}

TEST_CASE("an update with an old version is a conflict, one without changes makes no version") {
  Api api;
  json object = api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  object["metadata"]["labels"] = {{"a", "b"}};
  const json updated = api.ok(api.call("PUT", kDemo, object));
  CHECK(updated["metadata"]["labels"]["a"] == "b");
  CHECK(updated["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"]);
  CHECK(updated["metadata"]["generation"] == 1);  // labels are no specification
  const Response stale = api.call("PUT", kDemo, object);
  CHECK(stale.code == 409);
  CHECK(message(stale).find("the object has been modified") != std::string::npos);
  CHECK(api.ok(api.call("PUT", kDemo, updated)) == updated);
  CHECK(api.ok(api.call("PATCH", kDemo, json::object(), "application/merge-patch+json")) == updated);
}

TEST_CASE("the server's own metadata cannot be changed") {
  Api api;
  const json made = api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  const json patch = {{"metadata", {{"creationTimestamp", nullptr}, {"generation", 77}, {"deletionTimestamp", "x"}}}};
  CHECK(api.ok(api.call("PATCH", kDemo, patch, "application/merge-patch+json")) == made);
  CHECK(api.call("PATCH", kDemo, {{"metadata", {{"uid", "other"}}}}, "application/merge-patch+json").code == 422);
  CHECK(api.call("PATCH", kDemo, {{"metadata", {{"name", "other"}}}}, "application/merge-patch+json").code == 400);
}

TEST_CASE("users may not change a VMI's specification, nodes may write its status") {
  Api api;
  api.call("POST", kVmis, vmi("demo"));
  const json patch = {{"spec", {{"domain", {{"cpu", {{"cores", 2}}}}}}}};
  const Response refused = api.call("PATCH", kDemo, patch, "application/merge-patch+json");
  CHECK(refused.code == 422);
  CHECK(causes(refused) ==
        json::parse(R"([{"reason":"FieldValueNotSupported","message":"update of VMI object is restricted"}])"));
  api.user = test::node_user();
  const json status = {{"status", {{"phase", "Running"}, {"nodeName", "n1"}}}};
  CHECK(api.ok(api.call("PATCH", kDemo, status, "application/merge-patch+json"))["status"]["phase"] == "Running");
}

TEST_CASE("patch types that a kind does not take are refused with 415") {
  Api api;
  api.call("POST", kVmis, vmi("demo"));
  CHECK(api.call("PATCH", kDemo, json::object(), "application/strategic-merge-patch+json").code == 415);
  CHECK(api.call("PATCH", kDemo, json::object(), "text/plain").code == 415);
  CHECK(api.call("PATCH", "/api/v1/namespaces/default", {{"metadata", {{"labels", {{"x", "y"}}}}}},
                 "application/strategic-merge-patch+json")
            .code == 200);
}

TEST_CASE("server-side apply creates, then changes") {
  Api api;
  const std::string target = kDemo + "?fieldManager=kubectl";
  CHECK(api.call("PATCH", target, vmi("demo"), "application/apply-patch+yaml").code == 201);
  json changed = vmi("demo");
  changed["metadata"]["labels"] = {{"x", "y"}};
  const Response second = api.call("PATCH", target, changed, "application/apply-patch+yaml");
  CHECK(api.ok(second)["metadata"]["labels"]["x"] == "y");
  CHECK(api.call("PATCH", kDemo, vmi("demo"), "application/apply-patch+yaml").code == 422);
}

TEST_CASE("a VMI without a node goes at once, one with a node waits for its finalizer") {
  Api api;
  api.call("POST", kVmis, vmi("demo"));
  const json gone = api.ok(api.call("DELETE", kDemo));
  CHECK(gone["kind"] == "Status");
  CHECK(gone["status"] == "Success");
  CHECK(api.call("GET", kDemo).code == 404);

  api.call("POST", kVmis, vmi("demo"));
  api.merge_as_node(kDemo, {{"status", {{"nodeName", "n1"}}}});
  const json marked = api.ok(api.call("DELETE", kDemo, {{"propagationPolicy", "Background"}}));
  CHECK(marked["kind"] == "VirtualMachineInstance");
  CHECK(marked["metadata"].contains("deletionTimestamp"));
  CHECK(api.ok(api.call("DELETE", kDemo)) == marked);  // again: nothing new
  const json free = {{"metadata", {{"finalizers", nullptr}}}};
  CHECK(api.call("PATCH", kDemo, free, "application/merge-patch+json").code == 200);
  CHECK(api.call("GET", kDemo).code == 404);
}

TEST_CASE("preconditions of a deletion hold or refuse it") {
  Api api;
  api.call("POST", kVmis, vmi("demo"));
  CHECK(api.call("DELETE", kDemo, {{"preconditions", {{"uid", "other"}}}}).code == 409);
  CHECK(api.call("DELETE", kDemo, {{"preconditions", {{"resourceVersion", "1"}}}}).code == 409);
  CHECK(api.call("DELETE", kDemo).code == 200);
  CHECK(message(api.call("DELETE", kDemo)) == "virtualmachineinstances.kubevirt.io \"demo\" not found");
}

TEST_CASE("a dry run stores nothing") {
  Api api;
  CHECK(api.call("POST", std::string(kVmis) + "?dryRun=All", vmi("demo")).code == 201);
  CHECK(api.call("GET", kDemo).code == 404);
  api.call("POST", kVmis, vmi("demo"));
  const json patch = {{"metadata", {{"labels", {{"a", "b"}}}}}};
  const json shown = api.ok(api.call("PATCH", kDemo + "?dryRun=All", patch, "application/merge-patch+json"));
  CHECK(shown["metadata"]["labels"]["a"] == "b");
  CHECK_FALSE(api.ok(api.call("GET", kDemo))["metadata"].contains("labels"));
  CHECK(api.call("DELETE", kDemo + "?dryRun=All").code == 200);
  CHECK(api.call("GET", kDemo).code == 200);
  CHECK(api.call("DELETE", kDemo + "?dryRun=Some").code == 422);
}

TEST_CASE("lists take selectors, one namespace or all") {
  Api api;
  for (const char* name : {"a", "b", "c"}) {
    json object = vmi(name);
    object["metadata"]["labels"] = {{"group", name == std::string("c") ? "two" : "one"}};
    api.call("POST", kVmis, object);
  }
  const auto count = [&](const std::string& query) { return api.ok(api.call("GET", kVmis + query))["items"].size(); };
  CHECK(count("") == 3);
  CHECK(count("?labelSelector=group%3Done") == 2);
  CHECK(count("?labelSelector=group+in+%28two%29") == 1);
  CHECK(count("?fieldSelector=metadata.name%3Db") == 1);
  CHECK(count("?fieldSelector=status.phase!%3DPending") == 0);
  const json all = api.ok(api.call("GET", "/apis/kubevirt.io/v1/virtualmachineinstances"));
  CHECK(all["kind"] == "VirtualMachineInstanceList");
  CHECK(all["metadata"]["resourceVersion"] == std::to_string(api.store->version()));
  CHECK(api.call("GET", std::string(kVmis) + "?labelSelector=%3D").code == 400);
  CHECK(message(api.call("GET", std::string(kVmis) + "?fieldSelector=spec.x%3D1")) ==
        "field label not supported: spec.x");
}

TEST_CASE("v1alpha3 shows the same objects, with a warning") {
  Api api;
  api.call("POST", kVmis, vmi("demo"));
  const Response old = api.call("GET", "/apis/kubevirt.io/v1alpha3/namespaces/default/virtualmachineinstances/demo");
  CHECK(api.ok(old)["apiVersion"] == "kubevirt.io/v1alpha3");
  REQUIRE(old.headers.size() == 1);
  CHECK(old.headers[0].second ==
        "299 - \"kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release.\"");
}

TEST_CASE("a status is written through its subresource, and through nothing else") {
  Api api;
  api.call("POST", "/api/v1/nodes", {{"metadata", {{"name", "n1"}}}});
  const json status = {{"status", {{"conditions", json::array({{{"type", "Ready"}, {"status", "True"}}})}}}};
  CHECK_FALSE(api.ok(api.call("PATCH", "/api/v1/nodes/n1", status, "application/merge-patch+json")).contains("status"));
  CHECK(api.ok(api.call("PATCH", "/api/v1/nodes/n1/status", status, "application/merge-patch+json"))["status"] ==
        status["status"]);
  const json spec = {{"spec", {{"unschedulable", true}}}};
  CHECK_FALSE(
      api.ok(api.call("PATCH", "/api/v1/nodes/n1/status", spec, "application/merge-patch+json")).contains("spec"));
  CHECK(api.call("GET", kDemo + "/status").code == 404);
}

TEST_CASE("the unknown under the subresources' group is answered as virt-api answers") {
  Api api;
  const std::string prefix = "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachineinstances/demo/";
  CHECK(api.call("POST", prefix + "usbredir").code == 405);
  CHECK(api.call("POST", prefix + "usbredir").body == "405: Method Not Allowed");
  CHECK(api.call("GET", prefix + "frobnicate").body == "404: Page Not Found");
}

TEST_CASE("hostile bodies are refused and change nothing") {
  Api api;
  const auto before = api.store->version();
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("null"), std::string("7"), std::string("{\"metadata\":7}"),
        std::string("{\"metadata\":{\"name\":5}}"), std::string("{\"metadata\":{\"name\":\"a\\u0000b\"}}"),
        std::string("{\"metadata\":{\"name\":\"\xff\"}}"), std::string(100'000, '['),
        "{\"metadata\":{\"name\":\"x\",\"labels\":[]},\"spec\":" + std::string(5000, '[') + "}"}) {
    CAPTURE(body.substr(0, 60));
    const Response refused = api.raw("POST", kVmis, body);
    CHECK(refused.code >= 400);
    CHECK(refused.code < 500);
  }
  CHECK(api.raw("POST", kVmis, "x", "image/png").code == 415);
  CHECK(api.store->version() == before);
}

TEST_CASE("health and versions") {
  Api api;
  api.user = {"system:anonymous", "", {"system:unauthenticated"}};
  CHECK(api.call("GET", "/healthz").body == "ok");
  CHECK(api.call("GET", "/livez").body == "ok");
  CHECK(api.raw("GET", "/readyz?verbose=").body.ends_with("readyz check passed\n"));
  CHECK(api.ok(api.call("GET", "/version"))["gitVersion"] == "v1.36.2");
  CHECK(api.call("GET", "/api").code == 403);
  CHECK(api.call("GET", kVmis).code == 403);
  api.handler.set_ready(false);
  CHECK(api.call("GET", "/readyz").code == 500);
  api.user = test::admin();
  CHECK(api.ok(api.call("GET", "/apis/subresources.kubevirt.io/v1/version"))["gitVersion"] == "v1.9.0");
}

TEST_CASE("kubectl's protobuf reviews are understood") {
  Api api;
  // As kubectl 1.32 sends `auth can-i get nodes`: envelope{TypeMeta, raw{metadata, spec{resourceAttributes}}}.
  const std::string attributes = std::string("\x12\x03get") + "\x2a\x05nodes";
  const std::string spec = "\x0a" + std::string(1, static_cast<char>(attributes.size())) + attributes;
  const std::string raw = std::string("\x0a\x00", 2) + "\x12" + std::string(1, static_cast<char>(spec.size())) + spec;
  const std::string type = std::string("\x0a\x17") + "authorization.k8s.io/v1" + "\x12\x17" + "SelfSubjectAccessReview";
  const std::string body = std::string("k8s\0", 4) + "\x0a" + std::string(1, static_cast<char>(type.size())) + type +
                           "\x12" + std::string(1, static_cast<char>(raw.size())) + raw;
  const std::string path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const std::string protobuf = "application/vnd.kubernetes.protobuf";
  const json answer = api.ok(api.raw("POST", path, body, protobuf), 201);
  CHECK(answer["spec"]["resourceAttributes"] == json({{"verb", "get"}, {"resource", "nodes"}}));
  CHECK(answer["status"]["allowed"] == true);
  for (std::size_t length = 0; length < body.size(); ++length) {  // cut anywhere: refused or another question
    CHECK(api.raw("POST", path, body.substr(0, length), protobuf).code < 500);
  }
}
