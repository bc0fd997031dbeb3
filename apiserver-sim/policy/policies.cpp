#include "apiserver-sim/policy/policies.h"

#include "apiserver-sim/kinds/vmi.h"
#include "apiserver-sim/policy/kubevirt_policy.h"
#include "kube-sim/security/kubernetes_policy.h"
#include "kube-sim/security/token_file.h"

namespace usbloop::apiserver {
namespace {

// What the loop's node may do beyond a node of Kubernetes: launcher-sim is virt-handler and virt-launcher in one, and
// keeps its pods and VMIs.
constexpr BootstrapRule kLoopNode[] = {{"get list watch update patch", kKubevirtGroup, "virtualmachineinstances"},
                                       {"update patch", "core", "pods"},
                                       {"get list watch", "core", "namespaces"},
                                       {"get", "core", "nodes/status pods/status"},
                                       {"list watch", "coordination.k8s.io", "leases"}};

constexpr BootstrapRole kLoopRoles[] = {{"usbloop:node", kLoopNode}};

constexpr BootstrapBinding kLoopBindings[] = {
    {"usbloop:node", "system:nodes"},
    {"view", kViewersGroup, kViewersGroup},
    {"edit", kEditorsGroup, kEditorsGroup},
};

}  // namespace

std::vector<BootstrapPolicy> bootstrap_policies() {
  return {kubernetes_policy(), {kLoopRoles, kLoopBindings}, kubevirt_policy()};
}

}  // namespace usbloop::apiserver
