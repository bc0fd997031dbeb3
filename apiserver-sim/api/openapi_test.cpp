#include "kube-sim/documents/openapi.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;

namespace {

constexpr const char* kVmiPath = "/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachineinstances/{name}";

json v3(Api& api, const std::string& path) {
  const json index = api.ok(api.call("GET", "/openapi/v3"));
  return api.ok(api.call("GET", index["paths"][path]["serverRelativeURL"].get<std::string>()));
}

bool has_parameter(const json& operation, const char* name) {
  const json& parameters = operation["parameters"];
  return std::any_of(parameters.begin(), parameters.end(), [&](const json& entry) { return entry["name"] == name; });
}

/// All values of "$ref" in a document.
void collect_references(const json& tree, std::vector<std::string>& found) {
  if (tree.is_object() && tree.contains("$ref") && tree["$ref"].is_string()) found.push_back(tree["$ref"]);
  if (!tree.is_structured()) return;
  for (const json& child : tree) collect_references(child, found);
}

}  // namespace

TEST_CASE("OpenAPI v3 says what clientPassthrough is, and which parameters a patch takes") {
  Api api;
  const json document = v3(api, "apis/kubevirt.io/v1");
  CHECK(document["openapi"] == "3.0.0");
  const json& vmi = document["components"]["schemas"]["io.kubevirt.v1.VirtualMachineInstance"];
  CHECK(vmi["x-kubernetes-group-version-kind"][0]["kind"] == "VirtualMachineInstance");
  CHECK(
      vmi.at(
          "/properties/spec/properties/domain/properties/devices/properties/clientPassthrough/description"_json_pointer) ==
      "Present, even empty: clients can attach their USB devices to the guest.");
  const json& patch = document["paths"][kVmiPath]["patch"];
  CHECK(patch["x-kubernetes-action"] == "patch");
  CHECK(patch["x-kubernetes-group-version-kind"] ==
        json{{"group", "kubevirt.io"}, {"version", "v1"}, {"kind", "VirtualMachineInstance"}});
  for (const char* name : {"fieldValidation", "dryRun", "fieldManager", "force"}) CHECK(has_parameter(patch, name));
  CHECK(document["paths"].contains("/apis/kubevirt.io/v1/virtualmachineinstances"));
}

TEST_CASE(
    "what a schema demands of a value stands in the documents, as far as each version of OpenAPI has words for it") {
  Api api;
  const json whole = v3(api, "apis/kubevirt.io/v1")["components"]["schemas"];
  const json& vmi = whole["io.kubevirt.v1.VirtualMachineInstance"]["properties"];
  const json& spec = vmi["spec"]["properties"];
  CHECK(spec["utilityVolumes"]["maxItems"] == 256);
  CHECK(spec["utilityVolumes"]["x-kubernetes-list-type"] == "map");
  CHECK(spec["topologySpreadConstraints"]["x-kubernetes-list-map-keys"] == json{"topologyKey", "whenUnsatisfiable"});
  CHECK(spec["domain"]["properties"]["rebootPolicy"]["enum"] == json{"Reboot", "Terminate"});
  CHECK_FALSE(spec["domain"]["properties"]["cpu"]["properties"]["cores"].contains("minimum"));
  const json& directory = spec["volumes"]["items"]["properties"]["containerPath"]["properties"]["path"];
  CHECK(directory["maxLength"] == 4096);
  CHECK(directory["x-kubernetes-validations"][1]["rule"] == "!self.contains('..')");
  const json& status = vmi["status"]["properties"];
  CHECK(status["VSOCKCID"]["maximum"] == 4294967295);
  CHECK(status["changedBlockTracking"]["nullable"] == true);
  const json& claim = status["migratedVolumes"]["items"]["properties"]["sourcePVCInfo"]["properties"];
  CHECK(claim["filesystemOverhead"]["pattern"].get<std::string>().starts_with("^(0"));
  CHECK(claim["capacity"]["additionalProperties"]["pattern"].get<std::string>().starts_with("^("));
  const json& vm = whole["io.kubevirt.v1.VirtualMachine"]["properties"]["spec"]["properties"];
  CHECK(vm["dataVolumeTemplates"]["items"]["nullable"] == true);

  const json v2 = api.ok(api.raw("GET", "/openapi/v2", "", "", "application/json"))["definitions"];
  const json& older = v2["io.kubevirt.v1.VirtualMachineInstance"]["properties"];
  CHECK(older["spec"]["properties"]["utilityVolumes"]["maxItems"] == 256);
  CHECK_FALSE(older["status"]["properties"]["changedBlockTracking"].contains("nullable"));
}

TEST_CASE("every reference in every document has its definition") {
  Api api;
  const json index = api.ok(api.call("GET", "/openapi/v3"))["paths"];
  CHECK(index.size() >= 5);
  std::vector<json> documents = {api.ok(api.raw("GET", "/openapi/v2", "", "", "application/json"))};
  for (const auto& [path, entry] : index.items()) documents.push_back(v3(api, path));
  for (const json& document : documents) {
    std::vector<std::string> references;
    collect_references(document, references);
    CHECK_FALSE(references.empty());
    for (const std::string& reference : references) {
      CAPTURE(reference);
      CHECK(document.contains(json::json_pointer(reference.substr(1))));
    }
  }
}

TEST_CASE("a document of v3 is named by its hash: immutable by the right one, moved by an old one") {
  Api api;
  const std::string path = "/openapi/v3/apis/kubevirt.io/v1alpha3";
  const Response plain = api.call("GET", path);
  CHECK(plain.code == 200);
  const Response old = api.call("GET", path + "?hash=OLD");
  CHECK(old.code == 301);
  REQUIRE(old.headers.size() == 1);
  const Response named = api.call("GET", old.headers[0].second);
  CHECK(named.code == 200);
  CHECK(named.headers[0] ==
        std::pair<std::string, std::string>("Cache-Control", "public, immutable, max-age=31536000"));
  CHECK(named.body == plain.body);
  CHECK(api.call("GET", "/openapi/v3/apis/nobody.example/v1").code == 404);
}

TEST_CASE("v2 is protobuf for those who ask for it, under a name that they can read, and JSON for others") {
  Api api;
  const Response protobuf =
      api.raw("GET", "/openapi/v2", "", "", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
  CHECK(protobuf.content_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  CHECK(protobuf.body.starts_with(std::string("\x0a\x03") + "2.0"));
  CHECK(protobuf.body.find("Present, even empty: clients can attach their USB devices to the guest.") !=
        std::string::npos);
  const Response text = api.raw("GET", "/openapi/v2", "", "", "application/json, */*");
  CHECK(text.content_type == "application/json");
  const json document = api.ok(text);
  CHECK(has_parameter(document["paths"][kVmiPath]["patch"], "dryRun"));
  CHECK(document["definitions"].contains("io.k8s.api.core.v1.Namespace"));
}
