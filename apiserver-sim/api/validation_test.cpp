#include "kube-sim/schema/validation.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apiserver-sim/kinds/all_kinds.h"
#include "kube-sim/schema/schema_set.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

const Schema& vmi_schema() {
  static const SchemaSet kSchemas(all_schemas());
  return *kSchemas.kind("kubevirt.io/v1", "VirtualMachineInstance");
}

/// A VMI with a change to its spec.
json vmi_with(const char* spec) {
  json object = {{"metadata", {{"name", "demo"}}}, {"spec", {{"domain", {{"devices", json::object()}}}}}};
  object["spec"].merge_patch(json::parse(spec));
  return object;
}

/// "field: message" of the only cause.
std::string only_violation(const char* spec) {
  const auto causes = violations(vmi_schema(), vmi_with(spec));
  return causes.size() == 1 ? causes[0].field + ": " + causes[0].message : std::to_string(causes.size()) + " causes";
}

}  // namespace

TEST_CASE("what is wrong with a VMI is said in the words of the real server") {
  CHECK(only_violation(R"({"domain":null})") == "spec.domain: Required value");
  CHECK(only_violation(R"({"domain":{"devices":{"disks":[{"disk":{}}]}}})") ==
        "spec.domain.devices.disks[0].name: Required value");
  CHECK(only_violation(R"({"domain":{"cpu":{"cores":"two"}}})") ==
        "spec.domain.cpu.cores: Invalid value: \"string\": spec.domain.cpu.cores in body must be of type integer: "
        "\"string\"");
  CHECK(only_violation(R"({"domain":{"cpu":{"cores":1.5}}})").ends_with("must be of type integer: \"number\""));
  CHECK(only_violation(R"({"domain":{"cpu":{"cores":-1}}})") ==
        "spec.domain.cpu.cores: Invalid value: -1: spec.domain.cpu.cores in body should be greater than or equal to 0");
  CHECK(only_violation(R"({"domain":{"memory":{"guest":true}}})")
            .ends_with("must be of type integer,string: \"boolean\""));
  CHECK(only_violation(R"({"domain":{"memory":{"guest":"much"}}})")
            .starts_with(
                "spec.domain.memory.guest: Invalid value: \"much\": spec.domain.memory.guest in body should match '^"));
  CHECK(only_violation(R"({"nodeSelector":{"a":1}})").starts_with("spec.nodeSelector.a: Invalid value: \"integer\""));
  CHECK(only_violation(R"({"affinity":"near"})").ends_with("must be of type object: \"string\""));
  CHECK(only_violation(R"({"tolerations":{}})").ends_with("must be of type array: \"object\""));
}

TEST_CASE("only the listed values are supported where there is a list") {
  const SchemaSet set({"package p p/v1\ntype A:\n  colour string(red|green)\n"});
  const auto causes = violations(*set.type("p", "A"), {{"colour", "blue"}});
  REQUIRE(causes.size() == 1);
  CHECK(causes[0].reason == "FieldValueNotSupported");
  CHECK(causes[0].message == "Unsupported value: \"blue\": supported values: \"red\", \"green\"");
}

TEST_CASE("unknown fields are found at every depth, and below open objects nothing is unknown") {
  const json object = vmi_with(R"({"domian":{},"affinity":{"x":1},"domain":{"foo":1,"clock":{"x":1},
      "devices":{"disks":[{"name":"a"},{"name":"b","nmae":"c"}]},"resources":{"requests":{"any":"1"}}}})");
  const std::vector<std::string> expected = {"spec.affinity.x", "spec.domain.devices.disks[1].nmae", "spec.domain.foo",
                                             "spec.domian"};
  CHECK(unknown_fields(vmi_schema(), object) == expected);
  json pruned = object;
  prune_unknown_fields(vmi_schema(), pruned);
  CHECK(unknown_fields(vmi_schema(), pruned).empty());
  CHECK(pruned["spec"]["affinity"] == json::object());
  CHECK(pruned["spec"]["domain"]["clock"]["x"] == 1);
  CHECK(pruned["spec"]["domain"]["devices"]["disks"][1] == json{{"name", "b"}});
}

TEST_CASE("findings are bounded, however much is wrong") {
  json object = vmi_with("{}");
  for (int i = 0; i < 5000; ++i) {
    object["spec"]["x" + std::to_string(i)] = 1;
    object["spec"]["domain"]["devices"]["disks"].push_back(1);
  }
  CHECK(violations(vmi_schema(), object).size() == kMaxFindings);
  CHECK(unknown_fields(vmi_schema(), object).size() == kMaxFindings);
}

TEST_CASE("a VMI as people write it is valid and has no unknown field") {
  const json object = vmi_with(R"({
    "terminationGracePeriodSeconds": 0, "nodeSelector": {"a": "b"}, "hostname": "h",
    "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
    "domain": {
      "cpu": {"cores": 2, "sockets": 1, "threads": 1, "model": "host-model", "features": [{"name": "vmx", "policy": "require"}]},
      "memory": {"guest": "1Gi", "hugepages": {"pageSize": "2Mi"}},
      "machine": {"type": "q35"},
      "firmware": {"uuid": "5d307ca9-b3ef-428c-8861-06e72d69f223", "bootloader": {"efi": {"secureBoot": false}}},
      "clock": {"utc": {}, "timer": {"hpet": {"present": false}, "pit": {"tickPolicy": "delay"}, "rtc": {"tickPolicy": "catchup"}, "hyperv": {}}},
      "features": {"acpi": {}, "apic": {}, "hyperv": {"relaxed": {}, "vapic": {}, "spinlocks": {"spinlocks": 8191}}, "smm": {"enabled": true}},
      "resources": {"requests": {"memory": "1024M", "cpu": 1}, "limits": {"memory": "2Gi"}},
      "devices": {
        "clientPassthrough": {}, "rng": {}, "tpm": {"persistent": true}, "autoattachGraphicsDevice": false,
        "disks": [{"name": "root", "disk": {"bus": "virtio"}, "bootOrder": 1}, {"name": "cd", "cdrom": {"bus": "sata", "readonly": true}}],
        "interfaces": [{"name": "default", "masquerade": {}, "model": "virtio", "ports": [{"port": 22}]}, {"name": "b", "bridge": {}}],
        "inputs": [{"name": "tablet", "type": "tablet", "bus": "usb"}],
        "gpus": [{"name": "g", "deviceName": "nvidia.com/X"}],
        "watchdog": {"name": "w", "i6300esb": {"action": "poweroff"}}}},
    "networks": [{"name": "default", "pod": {}}, {"name": "b", "multus": {"networkName": "net"}}],
    "volumes": [
      {"name": "root", "containerDisk": {"image": "registry:5000/kubevirt/fedora:devel"}},
      {"name": "cd", "cloudInitNoCloud": {"userData": "#cloud-config", "secretRef": {"name": "s"}}},
      {"name": "p", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "d", "dataVolume": {"name": "dv"}},
      {"name": "e", "emptyDisk": {"capacity": "2Gi"}}, {"name": "cm", "configMap": {"name": "x"}},
      {"name": "h", "hostDisk": {"path": "/data/disk.img", "type": "DiskOrCreate", "capacity": "1Gi"}}],
    "accessCredentials": [{"sshPublicKey": {"source": {"secret": {"secretName": "k"}}, "propagationMethod": {"noCloud": {}}}}]})");
  for (const auto& cause : violations(vmi_schema(), object)) FAIL_CHECK(cause.field, ": ", cause.message);
  for (const std::string& field : unknown_fields(vmi_schema(), object)) FAIL_CHECK(field);
}
