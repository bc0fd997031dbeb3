#pragma once

#include "kube-sim/request/http_types.h"

namespace usbloop::apiserver {

/// The name under which KubeVirt's controller of VMs and VMIs writes.
inline const User& virt_controller_user() {
  static const User kUser{"system:serviceaccount:kubevirt:kubevirt-controller", "", {"system:serviceaccounts"}};
  return kUser;
}

}  // namespace usbloop::apiserver
