#include "apiserver-sim/subresource/expand_spec.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/kinds/vm.h"
#include "apiserver-sim/kinds/vmi.h"
#include "apiserver-sim/subresource/refusals.h"
#include "common/ascii_text.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kInstancetypeGroup = "instancetype.kubevirt.io";

/// Instancetypes and preferences are of the cluster unless the VM says that they are of its namespace.
std::optional<kube::Status> refuse_matcher(const json& vm, const std::string& field, const std::string& kind) {
  const std::string name = text_at(vm, ("/spec/" + field + "/name").c_str());
  if (name.empty()) return std::nullopt;
  std::string wanted = lower_case(text_at(vm, ("/spec/" + field + "/kind").c_str()));
  if (wanted.empty()) wanted = "virtualmachinecluster" + kind;
  return kube::not_found(kInstancetypeGroup, wanted.ends_with('s') ? wanted : wanted + "s", name);
}

Response answer_expanded(const json& vm) {
  if (const auto refused = refuse_matcher(vm, "instancetype", "instancetype")) return answer_refusal(*refused);
  if (const auto refused = refuse_matcher(vm, "preference", "preference")) return answer_refusal(*refused);
  return {200, "application/json", vm.dump(1, ' ', false, json::error_handler_t::replace), {}};
}

}  // namespace

Response expand_spec(const Registry& /*registry*/, Store& store, const Request& /*request*/, const RequestInfo& info) {
  const ObjectPtr vm = store.get({kVmResource, info.namespace_, info.name});
  if (!vm) return answer_refusal(kube::not_found(kKubevirtGroup, "virtualmachine", info.name));
  return answer_expanded(vm->parse());
}

Response expand_vm_spec(const Registry& registry, Store& /*store*/, const Request& request, const RequestInfo& info) {
  auto vm = parse_json(request.body);
  if (!vm) {
    return answer_refusal(kube::bad_request("Can not unmarshal Request body to struct, error: " + vm.error().message));
  }
  const Resource& kind = *registry.find_qualified(kVmResource);
  if (!vm->is_object() || text_at(*vm, "/kind") != kind.info().kind) {
    return answer_refusal(kube::bad_request("Object is not a valid VirtualMachine"));
  }
  const std::string own = text_at(*vm, "/metadata/namespace");
  if (!own.empty() && own != info.namespace_) {
    return answer_refusal(kube::bad_request("VM namespace must be empty or " + info.namespace_));
  }
  if (Causes causes = kind.validate(*vm); !causes.empty()) {
    return answer_refusal(
        kube::invalid(kKubevirtGroup, kind.info().kind, text_at(*vm, "/metadata/name"), std::move(causes)));
  }
  (*vm)["metadata"]["namespace"] = info.namespace_;
  return answer_expanded(*vm);
}

}  // namespace usbloop::apiserver
