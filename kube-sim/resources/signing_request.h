#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kSigningRequestResource = "certificatesigningrequests.certificates.k8s.io";

/// certificates.k8s.io/v1 CertificateSigningRequest: says itself who asks, and what it asks never changes.
class SigningRequestResource final : public Resource {
 public:
  SigningRequestResource();
  void note_creator(nlohmann::json& object, const User& user) const override;
  void prepare_update(nlohmann::json& object, const nlohmann::json& current, bool status_only) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
};

}  // namespace usbloop::apiserver
