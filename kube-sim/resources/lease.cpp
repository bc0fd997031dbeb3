#include "kube-sim/resources/lease.h"

namespace usbloop::apiserver {

using nlohmann::json;

LeaseResource::LeaseResource()
    : Resource({.group = "coordination.k8s.io",
                .version = "v1",
                .plural = "leases",
                .singular = "lease",
                .kind = "Lease",
                .strategic_merge = true}) {}

const std::vector<Column>& LeaseResource::columns() const {
  static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name of the object."},
                                               {"Holder", "string", "", 0, "Name of the present holder."},
                                               {"Age", "string", "", 0, "How long ago the object was created."}};
  return kColumns;
}

json LeaseResource::cells(const json& object, std::int64_t now) const {
  return {text_at(object, "/metadata/name"), text_at(object, "/spec/holderIdentity"),
          age_of(text_at(object, "/metadata/creationTimestamp"), now)};
}

}  // namespace usbloop::apiserver
