#include "kube-sim/resources/kubernetes_kinds.h"

#include "kube-sim/resources/config.h"
#include "kube-sim/resources/custom_definition.h"
#include "kube-sim/resources/event.h"
#include "kube-sim/resources/namespace.h"
#include "kube-sim/resources/node.h"
#include "kube-sim/resources/pod.h"
#include "kube-sim/resources/rbac.h"
#include "kube-sim/resources/signing_request.h"
#include "kube-sim/resources/workload.h"

namespace usbloop::apiserver {

std::vector<std::unique_ptr<Resource>> kubernetes_kinds() {
  std::vector<std::unique_ptr<Resource>> kinds;
  kinds.push_back(std::make_unique<NamespaceResource>());
  kinds.push_back(std::make_unique<NodeResource>());
  kinds.push_back(std::make_unique<PodResource>());
  kinds.push_back(std::make_unique<EventResource>());
  for (const bool namespaced : {true, false}) {
    kinds.push_back(std::make_unique<RoleResource>(namespaced));
    kinds.push_back(std::make_unique<RoleBindingResource>(namespaced));
  }
  for (const char* kind : {"ConfigMap", "Secret"}) kinds.push_back(std::make_unique<ConfigResource>(kind));
  for (const char* kind : {"Deployment", "StatefulSet", "DaemonSet"}) {
    kinds.push_back(std::make_unique<WorkloadResource>(kind));
  }
  kinds.push_back(std::make_unique<SigningRequestResource>());
  kinds.push_back(std::make_unique<CustomDefinitionResource>());
  return kinds;
}

}  // namespace usbloop::apiserver
