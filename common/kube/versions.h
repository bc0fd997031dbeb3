#pragma once

namespace usbloop::kube {

/// What is emulated: KubeVirt v1.9.0 on Kubernetes 1.36. The only place that says so: /version, the KubeVirt object,
/// the images of pods and the node's kubelet are made of these.
inline constexpr const char* kKubernetesVersion = "v1.36.2";
inline constexpr const char* kKubernetesMajor = "1";
inline constexpr const char* kKubernetesMinor = "36";
inline constexpr const char* kKubeVirtVersion = "v1.9.0";

}  // namespace usbloop::kube
