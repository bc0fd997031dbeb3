#include "apiserver-sim/kinds/kubevirt.h"

#include <array>

#include "apiserver-sim/kinds/vmi.h"
#include "common/kube/versions.h"

namespace usbloop::apiserver {

using nlohmann::json;

KubeVirtResource::KubeVirtResource()
    : Resource({.group = kKubevirtGroup,
                .version = "v1",
                .plural = "kubevirts",
                .singular = "kubevirt",
                .kind = "KubeVirt",
                .short_names = {"kv", "kvs"},
                .categories = {"all"},
                .other_versions = {"v1alpha3"},
                .has_status = true,
                .other_versions_warning = kOldVersionWarning}) {}

/// There is no operator that would have anything to deploy.
void KubeVirtResource::prepare_create(json& object, const std::string& now) const {
  json conditions = json::array();
  for (const auto& [type, status, reason, message] :
       {std::array{"Available", "True", "AllComponentsReady", "All components are ready."},
        std::array{"Progressing", "False", "AllComponentsReady", "All components are ready."},
        std::array{"Degraded", "False", "AllComponentsReady", "All components are ready."},
        std::array{"Created", "True", "AllResourcesCreated", "All resources were created."}}) {
    conditions.push_back({{"type", type},
                          {"status", status},
                          {"reason", reason},
                          {"message", message},
                          {"lastProbeTime", now},
                          {"lastTransitionTime", now}});
  }
  object["status"] = {{"phase", "Deployed"},
                      {"observedKubeVirtVersion", kube::kKubeVirtVersion},
                      {"targetKubeVirtVersion", kube::kKubeVirtVersion},
                      {"operatorVersion", kube::kKubeVirtVersion},
                      {"conditions", std::move(conditions)}};
}

const std::vector<Column>& KubeVirtResource::columns() const {
  static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name of the object."},
                                               {"Age", "date", "", 0, "How long ago the object was created."},
                                               {"Phase", "string", "", 0, "Phase of the installation."}};
  return kColumns;
}

json KubeVirtResource::cells(const json& object, std::int64_t now) const {
  return {text_at(object, "/metadata/name"), age_of(text_at(object, "/metadata/creationTimestamp"), now),
          text_at(object, "/status/phase")};
}

}  // namespace usbloop::apiserver
