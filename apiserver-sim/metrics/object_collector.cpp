#include "apiserver-sim/metrics/object_collector.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "common/ascii_text.h"
#include "common/metrics/exposition.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using metrics::add_sample;
using metrics::gauge_family;
using nlohmann::json;
using prometheus::Labels;
using prometheus::MetricFamily;

constexpr const char* kStoredVmis = "virtualmachineinstances.kubevirt.io";

/// Labels of kubevirt_vmi_info; those without a value are left out.
Labels labels_of(const Object& object) {
  const json vmi = object.parse();
  Labels labels = {{"namespace", object.key.namespace_}, {"name", object.key.name}};
  const auto add = [&](const char* label, const std::string& value) {
    if (!value.empty()) labels[label] = value;
  };
  add("node", text_at(vmi, "/status/nodeName"));
  add("phase", lower_case(text_at(vmi, "/status/phase")));
  for (const char* name : {"os", "workload", "flavor"}) {
    add(name, text_at(vmi, (std::string("/metadata/annotations/vm.kubevirt.io~1") + name).c_str()));
  }
  add("guest_os_kernel_release", text_at(vmi, "/status/guestOSInfo/kernelRelease"));
  add("guest_os_machine", text_at(vmi, "/status/machine/type"));
  add("guest_os_arch", text_at(vmi, "/status/guestOSInfo/machine"));
  add("guest_os_name", text_at(vmi, "/status/guestOSInfo/name"));
  add("guest_os_version_id", text_at(vmi, "/status/guestOSInfo/versionId"));
  // Nothing here asks for a migration when a node is drained, so nothing prevents an eviction.
  labels["evictable"] = "true";
  labels["outdated"] = object.labels.count("kubevirt.io/outdatedLauncherImage") != 0 ? "true" : "false";
  return labels;
}

/// What kubevirt_vmi_phase_count sums over.
Labels without_the_name(Labels labels) {
  for (const char* label : {"namespace", "name", "evictable", "outdated", "vmi_pod"}) labels.erase(label);
  return labels;
}

}  // namespace

std::vector<MetricFamily> ObjectCollector::Collect() const {
  std::vector<MetricFamily> families;
  add_vmis(families);
  add_components(families);
  add_objects(families);
  return families;
}

void ObjectCollector::add_vmis(std::vector<MetricFamily>& families) const {
  auto info = gauge_family("kubevirt_vmi_info", "1 for each VMI; the labels say which, where and how.");
  std::map<Labels, int> phases;
  {
    const std::scoped_lock lock(mutex_);
    std::map<Key, Known> now;
    for (const ObjectPtr& object : store_.list(kStoredVmis, "").objects) {
      auto before = known_.extract(object->key);
      const bool same = !before.empty() && before.mapped().version == object->version;
      Known known = same ? std::move(before.mapped()) : Known{object->version, labels_of(*object)};
      add_sample(info, known.labels, 1);
      ++phases[without_the_name(known.labels)];
      now.emplace(object->key, std::move(known));
    }
    known_ = std::move(now);
  }
  auto count = gauge_family("kubevirt_vmi_phase_count", "VMIs, by phase in lower case, node and guest.");
  for (const auto& [labels, number] : phases) add_sample(count, labels, number);
  families.push_back(std::move(info));
  families.push_back(std::move(count));
}

void ObjectCollector::add_components(std::vector<MetricFamily>& families) const {
  const auto show = [&](const char* name, const char* help, const Labels& labels, double value) {
    auto family = gauge_family(name, help);
    add_sample(family, labels, value);
    families.push_back(std::move(family));
  };
  show("kubevirt_info", "1; the label kubeversion says which version.", {{"goversion", ""}, {"kubeversion", version_}},
       1);
  show("kubevirt_virt_api_up", "API servers that run.", {}, 1);
  show("kubevirt_virt_controller_up", "Servers whose controllers run.", {}, 1);
  const auto nodes = store_.list("nodes", "").objects;
  const auto ready = std::count_if(nodes.begin(), nodes.end(), [](const ObjectPtr& node) {
    return condition_status(node->parse(), "Ready") == "True";
  });
  show("kubevirt_virt_handler_up", "Nodes that are ready.", {}, static_cast<double>(ready));
}

void ObjectCollector::add_objects(std::vector<MetricFamily>& families) const {
  auto objects = gauge_family("apiserver_storage_objects", "Number of stored objects, by resource.");
  for (const auto& resource : registry_.all()) {
    const auto count = store_.list(resource->qualified(), "").objects.size();
    add_sample(objects, {{"resource", resource->qualified()}}, static_cast<double>(count));
  }
  families.push_back(std::move(objects));
  auto vms = gauge_family("kubevirt_number_of_vms", "VirtualMachines, by namespace.");
  std::map<std::string, int> by_namespace;
  for (const ObjectPtr& vm : store_.list("virtualmachines.kubevirt.io", "").objects) ++by_namespace[vm->key.namespace_];
  for (const auto& [where, count] : by_namespace) add_sample(vms, {{"namespace", where}}, count);
  families.push_back(std::move(vms));
}

}  // namespace usbloop::apiserver
