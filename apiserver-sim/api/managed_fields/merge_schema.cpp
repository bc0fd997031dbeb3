#include "apiserver-sim/api/managed_fields/merge_schema.h"

#include <algorithm>

namespace usbloop::apiserver {
namespace {

using Lines = std::vector<std::string_view>;

std::string_view cut(std::string_view& text, std::string_view separators) {
  const std::string_view part = text.substr(0, text.find_first_of(separators));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

MergeSchema with_metadata(Lines lines) {
  lines.insert(lines.end(), {"metadata.finalizers set", "metadata.ownerReferences uid"});
  return MergeSchema(lines);
}

Lines pod_lines() {
  return {"spec.containers name",
          "spec.containers[].ports containerPort,protocol",
          "spec.containers[].env name",
          "spec.containers[].volumeMounts mountPath",
          "spec.containers[].volumeDevices devicePath",
          "spec.initContainers name",
          "spec.initContainers[].ports containerPort,protocol",
          "spec.initContainers[].env name",
          "spec.initContainers[].volumeMounts mountPath",
          "spec.initContainers[].volumeDevices devicePath",
          "spec.ephemeralContainers name",
          "spec.volumes name",
          "spec.imagePullSecrets name",
          "spec.hostAliases ip",
          "spec.nodeSelector atomic",
          "spec.resourceClaims name",
          "spec.schedulingGates name",
          "spec.topologySpreadConstraints topologyKey,whenUnsatisfiable",
          "status.conditions type",
          "status.podIPs ip"};
}

}  // namespace

MergeSchema::MergeSchema(const Lines& lines) {
  for (const std::string_view line : lines) add(line);
}

void MergeSchema::add(std::string_view line) {
  std::string_view how = line;
  std::string_view path = cut(how, " ");
  MergeSchema* at = this;
  while (!path.empty()) {
    std::string_view segment = cut(path, ".");
    const bool into_items = segment.ends_with("[]");
    if (into_items) segment.remove_suffix(2);
    at = &at->fields_[std::string(segment)];
    if (!into_items) continue;
    if (!at->items_) at->items_ = std::make_unique<MergeSchema>();
    at = at->items_.get();
  }
  if (how == "atomic") {
    at->kind_ = Kind::atomic;
  } else if (how == "set") {
    at->kind_ = Kind::set;
  } else {
    at->kind_ = Kind::keyed;
    while (!how.empty()) at->keys_.emplace_back(cut(how, ","));
    std::sort(at->keys_.begin(), at->keys_.end());
  }
}

const MergeSchema* MergeSchema::field(const std::string& name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? nullptr : &found->second;
}

const MergeSchema& merge_schema_of(const ResourceInfo& info) {
  static const std::map<std::string, MergeSchema> kSchemas = [] {
    std::map<std::string, MergeSchema> made;
    made.emplace("Namespace", with_metadata({"status.conditions type"}));
    made.emplace("Node", with_metadata({"spec.podCIDRs set", "status.conditions type", "status.addresses type"}));
    made.emplace("Pod", with_metadata(pod_lines()));
    made.emplace("Event", with_metadata({"involvedObject atomic", "related atomic"}));
    made.emplace("ServiceAccount", with_metadata({"secrets name"}));
    made.emplace("RoleBinding", with_metadata({"roleRef atomic"}));
    made.emplace("ClusterRoleBinding", with_metadata({"roleRef atomic"}));
    made.emplace("VirtualMachineInstance",
                 with_metadata({"spec.topologySpreadConstraints topologyKey,whenUnsatisfiable"}));
    made.emplace("VirtualMachine",
                 with_metadata({"spec.template.spec.topologySpreadConstraints topologyKey,whenUnsatisfiable"}));
    made.emplace("", with_metadata({}));
    return made;
  }();
  const auto found = kSchemas.find(info.kind);
  return found == kSchemas.end() ? kSchemas.at("") : found->second;
}

}  // namespace usbloop::apiserver
