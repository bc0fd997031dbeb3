// The schemas of KubeVirt's kinds are those of the release that the server says it is.
#include <doctest/doctest.h>

#include "apiserver-sim/api/kubevirt_facts.h"
#include "apiserver-sim/kinds/all_kinds.h"
#include "apiserver-sim/test_support.h"
#include "kube-sim/schema/schema_set.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kVmis;
using test::message;

namespace {

const std::string kCheckedVms = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";

const SchemaSet& release_schemas() {
  static const SchemaSet kSchemas(all_schemas());
  return kSchemas;
}

const Schema& release_kind(const std::string& name) { return *release_schemas().kind("kubevirt.io/v1", name); }

/// A VMI with a spec of that, beside what each needs.
json checked_vmi(const char* spec) {
  json vmi = {{"apiVersion", "kubevirt.io/v1"}, {"kind", "VirtualMachineInstance"}, {"metadata", {{"name", "t"}}}};
  vmi["spec"] = {{"domain", {{"devices", json::object()}, {"memory", {{"guest", "128Mi"}}}}}};
  vmi["spec"].merge_patch(json::parse(spec));
  return vmi;
}

constexpr const char* kRulesUnchecked =
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
    "existing errors to complete validation]";

/// What the server says against a VMI, which it refuses with 422.
std::string schema_refusal(const json& vmi) {
  Api api;
  const auto answer = api.call("POST", kVmis, vmi);
  CHECK(answer.code == 422);
  const std::string begin = "VirtualMachineInstance.kubevirt.io \"t\" is invalid: ";
  const std::string text = message(answer);
  return text.starts_with(begin) ? text.substr(begin.size()) : "? " + text;
}

}  // namespace

TEST_CASE("what the schemas demand of values is what KubeVirt's definitions demand, no more and no less") {
  const KindFacts facts = read_constraints(USBLOOP_OPENAPI_DIR "/kubevirt_constraints.txt");
  CHECK(facts.at("VirtualMachineInstance").size() == 200);
  CHECK(facts.at("VirtualMachine").size() == 193);
  for (const auto& facts_of_kind : facts) {
    const std::string& name = facts_of_kind.first;
    const auto& demanded = facts_of_kind.second;
    CAPTURE(name);
    const auto served = constraints_of(release_kind(name), *release_schemas().description("kubevirt.io/v1", name));
    for (const std::string& fact : demanded) {
      if (!served.contains(fact)) FAIL_CHECK("not demanded here: ", fact);
    }
    for (const std::string& fact : served) {
      if (!demanded.contains(fact)) FAIL_CHECK("demanded here alone: ", fact);
    }
  }
}

TEST_CASE("each field that KubeVirt was seen to take, to fill in or to report is known") {
  const KindFacts facts = read_paths(USBLOOP_OPENAPI_DIR "/kubevirt_paths.txt");
  CHECK(facts.at("VirtualMachineInstance").size() == 203);
  CHECK(facts.at("VirtualMachine").size() == 27);
  for (const auto& facts_of_kind : facts) {
    const std::string& name = facts_of_kind.first;
    CAPTURE(name);
    for (const std::string& path : facts_of_kind.second) {
      if (!knows(release_kind(name), path)) FAIL_CHECK("unknown: ", path);
    }
  }
  CHECK_FALSE(knows(release_kind("VirtualMachineInstance"), "spec.domain.devices.disk"));
  CHECK_FALSE(knows(release_kind("VirtualMachineInstance"), "spec.volumes.name"));
  CHECK_FALSE(knows(release_kind("VirtualMachine"), "spec.liveUpdateFeatures"));
}

TEST_CASE("a list that is too long, a value that is none of the few and a twin are refused as by KubeVirt") {
  json many = checked_vmi("{}");
  for (int i = 0; i < 257; ++i)
    many["spec"]["domain"]["devices"]["disks"].push_back({{"name", "d" + std::to_string(i)}});
  CHECK(schema_refusal(many) ==
        std::string("[spec.domain.devices.disks: Too many: 257: must have at most 256 items, ") + kRulesUnchecked);
  many["spec"]["domain"]["devices"]["disks"].erase(256);
  CHECK(Api().call("POST", kVmis, many).code == 201);
  CHECK(schema_refusal(checked_vmi(R"({"domain":{"rebootPolicy":"Never"}})")) ==
        std::string("[spec.domain.rebootPolicy: Unsupported value: \"Never\": supported values: \"Reboot\", "
                    "\"Terminate\", ") +
            kRulesUnchecked);
  CHECK(schema_refusal(checked_vmi(R"({"topologySpreadConstraints":[
          {"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"},
          {"maxSkew":2,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"},
          {"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway"}]})")) ==
        "spec.topologySpreadConstraints[1]: Duplicate value: "
        "{\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"DoNotSchedule\"}");
  CHECK(schema_refusal(checked_vmi(R"({"accessCredentials":[{"sshPublicKey":{"source":{},"propagationMethod":
          {"qemuGuestAgent":{"users":["a","b","a"]}}}}]})")) ==
        "spec.accessCredentials[0].sshPublicKey.propagationMethod.qemuGuestAgent.users[2]: Duplicate value: \"a\"");
}

TEST_CASE("a number that is none of 32 bits is refused as by KubeVirt, and the largest one is not") {
  CHECK(schema_refusal(checked_vmi(R"({"domain":{"cpu":{"maxSockets":2147483648}}})")) ==
        "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in "
        "spec.domain.cpu.maxSockets");
  CHECK(Api().call("POST", kVmis, checked_vmi(R"({"domain":{"cpu":{"maxSockets":2147483647}}})")).code == 201);
}

TEST_CASE("the rules for a path of the launcher's container are kept, where nothing else is wrong") {
  const auto with_path = [](const char* source) {
    return checked_vmi((R"({"volumes":[{"name":"v","containerPath":)" + std::string(source) + "}]}").c_str());
  };
  CHECK(schema_refusal(with_path(R"({"path":"var"})")) ==
        "spec.volumes[0].containerPath.path: Invalid value: \"var\": path must be absolute (start with '/')");
  CHECK(schema_refusal(with_path(R"({"path":"/a/../b"})")) ==
        "spec.volumes[0].containerPath.path: Invalid value: \"/a/../b\": path must not contain '..'");
  CHECK(schema_refusal(with_path(R"({"path":"/a","readOnly":false})")) ==
        "spec.volumes[0].containerPath.readOnly: Invalid value: false: readOnly must be true, write access is not "
        "supported");
  CHECK(schema_refusal(with_path(R"({"readOnly":false})")) ==
        std::string("[spec.volumes[0].containerPath.path: Required value, ") + kRulesUnchecked);
  CHECK(schema_refusal(with_path(("{\"path\":\"/" + std::string(4096, 'a') + "\"}").c_str())) ==
        std::string("[spec.volumes[0].containerPath.path: Too long: may not be more than 4096 bytes, ") +
            kRulesUnchecked);
  Api api;
  const json made = api.ok(api.call("POST", kVmis, with_path(R"({"path":"/a"})")), 201);
  CHECK(made["spec"]["volumes"][0]["containerPath"] == json{{"path", "/a"}, {"readOnly", true}});
}

TEST_CASE("what stands below a value of the wrong type is unknown, as for KubeVirt") {
  Api api;
  const json vmi = checked_vmi(R"({"domain":{"devices":{"disks":{"name":"root"}},"cpu":{"cores":[{"a":1}]}}})");
  const auto strict = api.call("POST", std::string(kVmis) + "?fieldValidation=Strict", vmi);
  CHECK(strict.code == 400);
  CHECK(
      message(strict) ==
      "VirtualMachineInstance in version \"v1\" cannot be handled as a VirtualMachineInstance: strict decoding error: "
      "unknown field \"spec.domain.cpu.cores[0].a\", unknown field \"spec.domain.devices.disks.name\"");
}

TEST_CASE("a VirtualMachine may leave its template empty") {
  Api api;
  const json vm = {{"apiVersion", "kubevirt.io/v1"},
                   {"kind", "VirtualMachine"},
                   {"metadata", {{"name", "t"}}},
                   {"spec", {{"runStrategy", "Halted"}, {"template", json::object()}}}};
  const json made = api.ok(api.call("POST", kCheckedVms, vm), 201);
  CHECK(made["spec"]["template"]["spec"]["domain"]["devices"] == json::object());
}
