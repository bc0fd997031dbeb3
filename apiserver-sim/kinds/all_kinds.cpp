#include "apiserver-sim/kinds/all_kinds.h"

#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/kinds/vm.h"
#include "apiserver-sim/kinds/vmi.h"
#include "kube-sim/resources/kubernetes_kinds.h"

namespace usbloop::apiserver {

Registry::Kinds all_kinds() {
  auto kinds = kubernetes_kinds();
  kinds.push_back(std::make_unique<VmResource>());
  kinds.push_back(std::make_unique<VmiResource>());
  kinds.push_back(std::make_unique<KubeVirtResource>());
  return kinds;
}

std::vector<std::string_view> all_schemas() {
  auto texts = kubernetes_schemas();
  for (const std::string_view text : kubevirt_schemas()) texts.push_back(text);
  return texts;
}

}  // namespace usbloop::apiserver
