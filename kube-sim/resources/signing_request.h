#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kSigningRequestResource = "certificatesigningrequests.certificates.k8s.io";

/// certificates.k8s.io/v1 CertificateSigningRequest: says itself who asks, and what it asks never changes.
class SigningRequestResource final : public Resource {
 public:
  SigningRequestResource();
  void note_creator(nlohmann::json& object, const User& user) const override;
  /// Approved and Denied stay as they are: they are written through the subresource approval.
  void prepare_update(nlohmann::json& object, const nlohmann::json& current, bool status_only) const override;
  /// The conditions alone change.
  void prepare_approval(nlohmann::json& object, const nlohmann::json& current) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  /// An answer is not given there.
  [[nodiscard]] Causes status_faults(const nlohmann::json& object, const nlohmann::json& current) const override;
  /// A condition that was an answer stays.
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
};

}  // namespace usbloop::apiserver
