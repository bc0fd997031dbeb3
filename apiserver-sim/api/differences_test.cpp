// Where this server answered in another way than a real kube-apiserver 1.36: a case for each difference.
#include <doctest/doctest.h>

#include <algorithm>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kMerge;
using test::message;

namespace {

constexpr const char* kNamespaces = "/api/v1/namespaces";
constexpr const char* kAllVms = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";

json stopped_vm() {
  const json spec = test::vmi("a")["spec"];
  return {{"apiVersion", "kubevirt.io/v1"},
          {"kind", "VirtualMachine"},
          {"metadata", {{"name", "a"}}},
          {"spec",
           {{"runStrategy", "Halted"}, {"template", {{"metadata", {{"labels", {{"app", "x"}}}}}, {"spec", spec}}}}}};
}

}  // namespace

TEST_CASE("a JSON patch that is no list of operations is refused as a patch") {
  Api api;
  const auto refused = [&](const std::string& patch) {
    const Response response =
        api.raw("PATCH", std::string(kNamespaces) + "/default", patch, "application/json-patch+json");
    CHECK(response.code == 400);
    for (const auto& [name, value] : response.headers) CHECK(name != "Warning");
    return message(response);
  };
  CHECK(refused("{\"metadata\":{}}") ==
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
  CHECK(refused("[\"x\"]") ==
        "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp");
  CHECK(refused("[") == "error decoding patch: unexpected end of JSON input");
}

TEST_CASE("a patch does not change the uid, and an update with another one is a conflict") {
  Api api;
  api.call("POST", test::kVmis, test::vmi("demo"));
  const Response patched = api.call("PATCH", test::kDemo, {{"metadata", {{"uid", "x"}}}}, kMerge);
  CHECK(patched.code == 422);
  CHECK(message(patched) ==
        "VirtualMachineInstance.kubevirt.io \"demo\" is invalid: metadata.uid: Invalid value: \"x\": field is "
        "immutable");
  json object = api.get(test::kDemo);
  object["metadata"]["uid"] = "x";
  CHECK(api.call("PUT", test::kDemo, object).code == 409);
}

TEST_CASE("a version that is still to come makes a client come again") {
  Api api;
  const Response refused = api.call("GET", std::string(kNamespaces) + "?resourceVersion=18446744073709551615");
  CHECK(refused.code == 504);
  CHECK(message(refused).starts_with("Timeout: Too large resource version: 18446744073709551615, current: "));
  const json status = json::parse(refused.body);
  CHECK(status["reason"] == "Timeout");
  CHECK(status["details"]["retryAfterSeconds"] == 1);
  CHECK(status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge");
  CHECK(std::find(refused.headers.begin(), refused.headers.end(),
                  std::pair<std::string, std::string>("Retry-After", "1")) != refused.headers.end());
}

TEST_CASE("a body that is no JSON is refused in the words of Go's decoder") {
  Api api;
  const auto refused = [&](const std::string& body) {
    const Response response = api.raw("POST", kNamespaces, body);
    CHECK(response.code == 400);
    return message(response);
  };
  const std::string begin =
      "the object provided is unrecognized (must be of type Namespace): couldn't get version/kind; json parse error: ";
  CHECK(refused("{\"kind\":") == begin + "unexpected end of JSON input ({\"kind\":)");
  CHECK(refused("not json") == begin + "invalid character 'o' in literal null (expecting 'u') (6e6f74206a736f6e)");
  CHECK(refused("") == begin + "unexpected end of JSON input (<empty>)");
  CHECK(refused("[]") ==
        begin +
            "json: cannot unmarshal array into Go value of type struct { APIVersion string "
            "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" } (5b5d)");
}

TEST_CASE("another kind than that of the custom resource is a fault of the field") {
  Api api;
  json object = test::vmi("demo");
  object["kind"] = "Foo";
  const Response refused = api.call("POST", test::kVmis, object);
  CHECK(refused.code == 422);
  CHECK(message(refused) ==
        "VirtualMachineInstance.kubevirt.io \"demo\" is invalid: kind: Invalid value: \"Foo\": must be "
        "VirtualMachineInstance");
}

TEST_CASE("selectors that cannot be read are refused in the words of the real parsers") {
  Api api;
  const auto refused = [&](const std::string& path) {
    const Response response = api.call("GET", path);
    CHECK(response.code == 400);
    return message(response);
  };
  const std::string namespaces = kNamespaces;
  CHECK(refused(namespaces + "?labelSelector=a%20b") ==
        "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
  CHECK(refused(namespaces + "?fieldSelector=a") == "invalid selector: 'a'; can't understand 'a'");
  CHECK(refused(namespaces + "?fieldSelector=a=b") == "field label not supported: a");
  CHECK(refused("/apis/rbac.authorization.k8s.io/v1/clusterroles?fieldSelector=a=b") ==
        "\"a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
}

TEST_CASE("namespaces, nodes and roles count no generations, pods and custom resources do") {
  Api api;
  CHECK_FALSE(api.get(std::string(kNamespaces) + "/default")["metadata"].contains("generation"));
  CHECK_FALSE(api.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/edit")["metadata"].contains("generation"));
  const Response labelled =
      api.call("PATCH", std::string(kNamespaces) + "/default", {{"metadata", {{"labels", {{"a", "b"}}}}}}, kMerge);
  CHECK_FALSE(api.ok(labelled)["metadata"].contains("generation"));
  api.call("POST", test::kVmis, test::vmi("demo"));
  CHECK(api.get(test::kDemo)["metadata"]["generation"] == 1);
}

TEST_CASE("who applies labels of a template owns the field of labels too, as the template's metadata has no schema") {
  Api api;
  const Response applied = api.raw("PATCH", std::string(kAllVms) + "/a?fieldManager=me", stopped_vm().dump(),
                                   "application/apply-patch+yaml");
  const json record = api.ok(applied, 201)["metadata"]["managedFields"][0]["fieldsV1"];
  CHECK(record["f:spec"]["f:template"]["f:metadata"] ==
        json({{"f:labels", {{".", json::object()}, {"f:app", json::object()}}}}));
  CHECK_FALSE(record["f:spec"]["f:template"].contains("."));
}

TEST_CASE("the version is indented") {
  Api api;
  CHECK(api.call("GET", "/version").body.starts_with("{\n  \"major\": \"1\",\n  \"minor\": "));
}

TEST_CASE("service accounts may ask who issues their tokens") {
  Api api;
  api.user = {"system:serviceaccount:default:ci", "", {"system:serviceaccounts", "system:authenticated"}};
  const Response rules =
      api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {{"spec", {{"namespace", "default"}}}});
  CHECK(api.ok(rules, 201)["status"]["nonResourceRules"].dump().find("/.well-known/openid-configuration") !=
        std::string::npos);
}
