#include "client/doctor.h"

#include <array>

namespace usbloop::client {

Diagnosis examine(const Options& options, const std::function<Result<kube::ClusterAccess>()>& load_access) {
  Diagnosis diagnosis;
  examine_device(options, diagnosis);
  const auto access = load_access();
  if (access) {
    diagnosis.ok("kubeconfig", "context \"" + access->context + "\", server " + access->url() +
                                   (access->proxy ? " through the proxy " + access->proxy.url() : ""));
    examine_cluster(options, *access, diagnosis);
    return diagnosis;
  }
  diagnosis.failed("kubeconfig", access.error());
  constexpr std::array<const char*, 9> kLater = {"server", "tls",     "login",       "kubevirt", "rights",
                                                 "vmi",    "running", "passthrough", "slot"};
  for (const char* name : kLater) diagnosis.not_checked(name, "without a kubeconfig there is nobody to ask");
  return diagnosis;
}

}  // namespace usbloop::client
