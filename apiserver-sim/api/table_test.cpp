#include "kube-sim/objects/table.h"

#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"
#include "common/timestamp.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {
constexpr std::int64_t kNow = 1'800'000'000;
const std::string kFiveMinutesAgo = format_time(kNow - 300);

const json kVmi = {{"apiVersion", "kubevirt.io/v1"},
                   {"kind", "VirtualMachineInstance"},
                   {"metadata", {{"name", "demo"}, {"namespace", "default"}, {"creationTimestamp", kFiveMinutesAgo}}},
                   {"status",
                    {{"phase", "Running"},
                     {"nodeName", "node-a"},
                     {"conditions", json::array({{{"type", "Ready"}, {"status", "True"}}})}}}};
}  // namespace

TEST_CASE("the VMI table has the columns of KubeVirt's CRD") {
  const Registry registry = kubevirt_registry();
  const ResourcePtr resource = registry.find("kubevirt.io", "v1", "virtualmachineinstances");
  const json table = make_table(*resource, {{"resourceVersion", "7"}}, {});
  const json row = make_row(*resource, kVmi, {}, kNow);
  CHECK(table["metadata"]["resourceVersion"] == "7");
  std::string names;
  for (const json& column : table["columnDefinitions"]) {
    names += column["name"].get<std::string>() + (column["priority"] == 1 ? "+ " : " ");
  }
  CHECK(names == "Name Age Phase IP NodeName Ready Live-Migratable+ Paused+ ");
  CHECK(row["cells"] == json::parse(R"(["demo","5m","Running",null,"node-a","True",null,null])"));
  CHECK(row["object"]["kind"] == "PartialObjectMetadata");
  CHECK(row["object"]["apiVersion"] == "meta.k8s.io/v1");
  CHECK(row["object"]["metadata"] == kVmi["metadata"]);
}

TEST_CASE("the rows are the end of a table's text, so that they can be put there one by one") {
  const Registry registry = kubevirt_registry();
  for (const auto& resource : registry.all()) {
    CHECK(make_table(*resource, {{"resourceVersion", "7"}}, {}).dump().ends_with(",\"rows\":[]}"));
  }
}

TEST_CASE("a row carries as much of its object as is asked for") {
  const Registry registry = kubevirt_registry();
  const ResourcePtr resource = registry.find("kubevirt.io", "v1", "virtualmachineinstances");
  const auto row = [&](const char* include) {
    return make_row(*resource, kVmi, {"v1", *parse_include_object(include), false}, kNow);
  };
  CHECK(row("Object")["object"] == kVmi);
  CHECK_FALSE(row("None").contains("object"));
  CHECK(row("Metadata")["object"]["kind"] == "PartialObjectMetadata");
}

TEST_CASE("every kind has as many cells as columns, also for objects without anything") {
  const Registry registry = kubevirt_registry();
  for (const auto& resource : registry.all()) {
    CAPTURE(resource->qualified());
    for (const json& object : {json::object(), json({{"metadata", 5}, {"status", "x"}, {"spec", nullptr}}), kVmi}) {
      CHECK(resource->cells(object, kNow).size() == resource->columns().size());
    }
  }
}

TEST_CASE("a node is Ready, NotReady or Unknown, and says that it takes nothing more") {
  const Registry registry = kubevirt_registry();
  const ResourcePtr nodes = registry.find("", "v1", "nodes");
  json node = {{"metadata", {{"name", "n"}, {"labels", {{"node-role.kubernetes.io/worker", ""}}}}}};
  CHECK(nodes->cells(node, kNow)[1] == "Unknown");
  CHECK(nodes->cells(node, kNow)[2] == "worker");
  node["status"]["conditions"] = json::array({{{"type", "Ready"}, {"status", "Unknown"}}});
  CHECK(nodes->cells(node, kNow)[1] == "NotReady");
  node["status"]["conditions"][0]["status"] = "True";
  node["spec"]["unschedulable"] = true;
  CHECK(nodes->cells(node, kNow)[1] == "Ready,SchedulingDisabled");
}
