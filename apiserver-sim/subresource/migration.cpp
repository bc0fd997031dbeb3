#include "apiserver-sim/subresource/migration.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/kinds/vm.h"
#include "apiserver-sim/kinds/vmi.h"
#include "apiserver-sim/subresource/refusals.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/objects/object_writer.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const User& evacuating_user() {
  static const User kUser{"system:serviceaccount:kubevirt:kubevirt-apiserver", "", {"system:serviceaccounts"}};
  return kUser;
}

/// The VMI that the request names, or that of the VM.
tl::expected<json, kube::Status> vmi_of(const Store& store, const RequestInfo& info) {
  const bool of_vm = info.resource == "virtualmachines";
  if (of_vm && !store.get({kVmResource, info.namespace_, info.name})) {
    return tl::unexpected(kube::not_found(kKubevirtGroup, "virtualmachine", info.name));
  }
  auto vmi = find_vmi(store, info.namespace_, info.name);
  if (!vmi && of_vm) {
    return tl::unexpected(kube::conflict(kKubevirtGroup, "virtualmachineinstance", info.name, "VMI is not started"));
  }
  return vmi;
}

/// What the VMI says of itself, or that of every guest of this cluster.
std::string why_not_migratable(const json& vmi) {
  const json* conditions = element_at(vmi, "/status/conditions");
  if (conditions != nullptr && conditions->is_array()) {
    for (const json& condition : *conditions) {
      if (text_at(condition, "/type") != "LiveMigratable") continue;
      return "Reason: " + text_at(condition, "/reason") + ", Message: " + text_at(condition, "/message");
    }
  }
  return "Reason: NotMigratable, Message: the nodes of this cluster do not migrate guests";
}

}  // namespace

Response migrate_vm(const Registry& /*registry*/, Store& store, const Request& /*request*/, const RequestInfo& info) {
  if (!store.get({kVmResource, info.namespace_, info.name})) {
    return answer_refusal(kube::not_found(kKubevirtGroup, "virtualmachine", info.name));
  }
  const auto vmi = find_vmi(store, info.namespace_, info.name);
  if (!vmi) return answer_refusal(vmi.error());
  if (text_at(*vmi, "/status/phase") != "Running") {
    return answer_refusal(kube::conflict(kKubevirtGroup, "virtualmachine", info.name, "VM is not running"));
  }
  return answer_refusal(kube::internal_error(
      "admission webhook \"migration-create-validator.kubevirt.io\" denied the request: Cannot migrate VMI, " +
      why_not_migratable(*vmi)));
}

Response cancel_evacuation(const Registry& registry, Store& store, const Request& request, const RequestInfo& info) {
  const auto vmi = vmi_of(store, info);
  if (!vmi) return answer_refusal(vmi.error());
  const std::string node = text_at(*vmi, "/status/evacuationNodeName");
  if (node.empty()) return {200, "", "", {}};
  const auto options = parse_json(request.body.empty() ? "{}" : request.body);
  if (!options) {
    return answer_refusal(
        kube::bad_request("Can not unmarshal Request body to struct, error: " + options.error().message));
  }
  if (text_at(*options, "/evacuationNodeName") != node) {
    return answer_refusal(kube::internal_error("the server rejected our request due to an error in our request"));
  }
  const json* dry_run = element_at(*options, "/dryRun");
  const auto edit = [](const json& current) -> json {
    json changed = current;
    changed["status"].erase("evacuationNodeName");
    return changed;
  };
  ObjectWriter writer(store);
  const auto outcome =
      writer.update(*registry.find_qualified(kVmiResource), {kVmiResource, info.namespace_, info.name},
                    evacuating_user(), {.dry_run = dry_run != nullptr && !dry_run->empty(), .whole = true}, edit);
  if (!outcome) return answer_refusal(kube::internal_error(outcome.error().message));
  return {200, "", "", {}};
}

}  // namespace usbloop::apiserver
