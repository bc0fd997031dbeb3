#include "kube-sim/objects/table.h"

#include <doctest/doctest.h>

#include <random>
#include <regex>

#include "apiserver-sim/kinds/all_kinds.h"
#include "common/timestamp.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using usbloop::format_time;

namespace {
Registry kubevirt_kinds() { return {all_kinds(), {}, all_schemas()}; }

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
  const Registry registry = kubevirt_kinds();
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
  const Registry registry = kubevirt_kinds();
  for (const auto& resource : registry.all()) {
    CHECK(make_table(*resource, {{"resourceVersion", "7"}}, {}).dump().ends_with(",\"rows\":[]}"));
  }
}

TEST_CASE("a row carries as much of its object as is asked for") {
  const Registry registry = kubevirt_kinds();
  const ResourcePtr resource = registry.find("kubevirt.io", "v1", "virtualmachineinstances");
  const auto row = [&](const char* include) {
    return make_row(*resource, kVmi, {"v1", *parse_include_object(include), false}, kNow);
  };
  CHECK(row("Object")["object"] == kVmi);
  CHECK_FALSE(row("None").contains("object"));
  CHECK(row("Metadata")["object"]["kind"] == "PartialObjectMetadata");
}

TEST_CASE("every kind has as many cells as columns, also for objects without anything") {
  const Registry registry = kubevirt_kinds();
  for (const auto& resource : registry.all()) {
    CAPTURE(resource->qualified());
    for (const json& object : {json::object(), json({{"metadata", 5}, {"status", "x"}, {"spec", nullptr}}), kVmi}) {
      CHECK(resource->cells(object, kNow).size() == resource->columns().size());
    }
  }
}

namespace {

/// Objects of every shape, right and wrong, made of the names that a kind's cells look at and of some that hurt.
class RandomObjects {
 public:
  explicit RandomObjects(const Resource& resource) {
    if (resource.description() == nullptr) return;
    const std::regex word("[A-Za-z]+");
    for (const auto& [column, cell] : resource.description()->columns) {
      for (std::sregex_iterator at(cell.begin(), cell.end(), word), end; at != end; ++at) names_.push_back(at->str());
    }
  }

  json object(int depth = 4) {
    json made = json::object();
    for (std::size_t left = pick(5) + 1; left > 0; --left) made[names_[pick(names_.size())]] = value(depth - 1);
    if (depth == 4 && pick(8) != 0) made["metadata"] = object(2);
    return made;
  }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }

  json value(int depth) {
    switch (depth <= 0 ? pick(4) : pick(7)) {
      case 0: return texts_[pick(texts_.size())];
      case 1: return static_cast<std::int64_t>(pick(1000)) - 500;
      case 2: return nullptr;
      case 3: return pick(2) == 0;
      case 4: return json::array({value(depth - 1), object(depth - 1)});
      default: return object(depth - 1);
    }
  }

  std::mt19937 random_{7};
  std::vector<std::string> names_ = {"metadata", "spec", "status",        "type",   "name", "conditions", "a\"b",
                                     "a\\",      "}",    "\xc3\xa9,\x01", "labels", "",     "items"};
  std::vector<std::string> texts_ = {"Ready",    "True", "",         "\\", "\"",
                                     "{\"a\":[", "]}",   "\xc3\xa9", "\n", kFiveMinutesAgo};
};

}  // namespace

TEST_CASE("a row made of the object's text is the row made of its tree, for every kind") {
  const Registry registry = kubevirt_kinds();
  std::size_t quick = 0;
  for (const auto& resource : registry.all()) {
    CAPTURE(resource->qualified());
    quick += resource->has_text_cells() ? 1U : 0U;
    RandomObjects objects(*resource);
    for (int round = 0; round < 100; ++round) {
      json tree = objects.object();
      tree["apiVersion"] = "v1";
      const ObjectPtr stored = make_object({resource->qualified(), "", "demo"}, 1, tree, {});
      for (const auto include : {IncludeObject::none, IncludeObject::metadata, IncludeObject::object}) {
        const TableOptions options{"v1", include, true};
        std::string row;
        RowWriter(*resource, "v1", options, kNow).append(row, *stored);
        CHECK(row == make_row(*resource, tree, options, kNow).dump());
      }
    }
  }
  CHECK(quick > 15);  // and not that none of them takes the quick way
}

TEST_CASE("a node is Ready, NotReady or Unknown, and says that it takes nothing more") {
  const Registry registry = kubevirt_kinds();
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
