#pragma once

#include <functional>

#include "client/diagnosis.h"
#include "client/options.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::client {

/// Looks at every step of the redirection that the options name, from the device to the slot, and goes on after one
/// that has failed as far as the next ones do not need it. Blocks; each question to the server is bounded. A slot is
/// taken for a moment, with no device at it, when nothing stands in the way; the device itself is opened and not taken.
Diagnosis examine(const Options& options, const std::function<Result<kube::ClusterAccess>()>& load_access);

/// The two halves.
void examine_device(const Options& options, Diagnosis& diagnosis);
void examine_cluster(const Options& options, const kube::ClusterAccess& access, Diagnosis& diagnosis);

}  // namespace usbloop::client
