#pragma once

#include <string>
#include <vector>

#include "kube-sim/resources/aggregated_api.h"
#include "kube-sim/resources/registry.h"

namespace usbloop::apiserver {

/// subresources.kubevirt.io: what virt-api serves as an aggregated API. wire.md sections 9, 12 and 14.
class SubresourceApi final : public AggregatedApi {
 public:
  [[nodiscard]] const std::string& group() const override;
  [[nodiscard]] const std::vector<std::string>& versions() const override;
  [[nodiscard]] std::vector<std::string> listed() const override;
  [[nodiscard]] bool knows(std::string_view resource, std::string_view subresource) const override;
  [[nodiscard]] Response answer(const Registry& registry, Store& store, const Request& request,
                                const RequestInfo& info) const override;
};

/// All kinds, and KubeVirt's subresources: what this server serves. `more`: the texts of further schema files, whose
/// kinds it serves too.
Registry kubevirt_registry(const std::vector<std::string>& more = {});

}  // namespace usbloop::apiserver
