#pragma once

#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/kube/kubeconfig_file.h"

// The entries of a kubeconfig that the context names, with what the command line says over them.
namespace usbloop::kube {

Result<> read_cluster(const Section& cluster, const AccessOverrides& flags, ClusterAccess& access);
Result<> read_user(const Section& user, const AccessOverrides& flags, ClusterAccess& access);
/// The part of read_user() that needs no entry.
Result<> read_user_flags(const AccessOverrides& flags, ClusterAccess& access);

}  // namespace usbloop::kube
