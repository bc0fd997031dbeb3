#include "apiserver-sim/kinds/kubevirt.h"

#include <array>

#include "apiserver-sim/kinds/vmi.h"
#include "common/kube/versions.h"

namespace usbloop::apiserver {

using nlohmann::json;

KubeVirtResource::KubeVirtResource() : Resource("kubevirt.io/v1", "KubeVirt") {}

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

}  // namespace usbloop::apiserver
