#include "apiserver-sim/kinds/vmi.h"

#include <cstdint>

#include "apiserver-sim/kinds/kubevirt_reserved.h"
#include "apiserver-sim/kinds/vm.h"
#include "kube-sim/objects/object_meta.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kCreateWebhook = "virtualmachineinstances-create-validator.kubevirt.io";
constexpr const char* kUpdateWebhook = "virtualmachineinstances-update-validator.kubevirt.io";

}  // namespace

void check_vmi_spec(const json& spec, const std::string& path, Causes& causes) {
  constexpr std::uint64_t kMost = 1024;
  for (const char* name : {"cores", "sockets", "threads"}) {
    const json* value = element_at(spec, (std::string("/domain/cpu/") + name).c_str());
    if (value == nullptr || !value->is_number_integer()) continue;
    if (*value >= 1 && *value <= kMost) continue;
    causes.push_back({"FieldValueInvalid", "Invalid value: " + value->dump() + ": must be between 1 and 1024",
                      path + ".domain.cpu." + name});
  }
}

VmiResource::VmiResource() : Resource("kubevirt.io/v1", "VirtualMachineInstance") {}

void VmiResource::prepare_create(json& object, const std::string& now) const {
  add_finalizer(object, kVmiFinalizer);
  if (json& spec = object["spec"]; spec.is_object()) {
    if (!spec.contains("architecture")) spec["architecture"] = "amd64";
    if (spec.contains("domain") && spec["domain"].is_object() && !spec["domain"].contains("devices")) {
      spec["domain"]["devices"] = json::object();
    }
  } else if (spec.is_null()) {
    object.erase("spec");
  }
  object["status"] = {
      {"phase", "Pending"},
      {"phaseTransitionTimestamps", json::array({{{"phase", "Pending"}, {"phaseTransitionTimestamp", now}}})},
      {"runtimeUser", 107}};
}

Causes VmiResource::validate(const json& object) const {
  Causes causes = Resource::validate(object);
  if (causes.empty()) check_vmi_spec(object["spec"], "spec", causes);
  return causes;
}

void VmiResource::restore_protected(json& object, const json& current, const User& user) const {
  if (is_kubevirt_component(user)) return;
  object.erase("status");
  if (const auto status = current.find("status"); status != current.end()) object["status"] = *status;
}

std::optional<kube::Status> VmiResource::refuse_create(const json& object, const User& user) const {
  if (is_kubevirt_component(user)) return std::nullopt;
  Causes causes = refuse_reserved_labels(object["metadata"], "metadata.labels");
  if (causes.empty()) return std::nullopt;
  return webhook_refusal(kCreateWebhook, std::move(causes));
}

std::optional<kube::Status> VmiResource::refuse_update(const json& object, const json& current,
                                                       const User& user) const {
  if (is_kubevirt_component(user)) return std::nullopt;
  const auto refuse = [](const char* why) {
    return webhook_refusal(kUpdateWebhook, {{"FieldValueNotSupported", why, ""}});
  };
  if (object.value("spec", json()) != current.value("spec", json()))
    return refuse("update of VMI object is restricted");
  if (!same_reserved_labels(object["metadata"], current["metadata"])) {
    return refuse("modification of the following reserved kubevirt.io/ labels on a VMI object is prohibited");
  }
  return std::nullopt;
}

std::int64_t termination_grace(const json& vmi) {
  constexpr std::int64_t kDefault = 30;
  const json* own = element_at(vmi, "/spec/terminationGracePeriodSeconds");
  return own == nullptr ? kDefault : int64_of(*own, kDefault);
}

bool VmiResource::hasten_end(json& object, std::int64_t wish) const {
  wish = std::max<std::int64_t>(wish, 0);
  if (wish >= termination_grace(object) || !object["spec"].is_object()) return false;
  object["spec"]["terminationGracePeriodSeconds"] = wish;
  return true;
}

bool VmiResource::removable_with_finalizers(const json& object) const {
  // Only the node takes the finalizer off, and there is none yet. Finalizers of others are waited for.
  const json& finalizers = object["metadata"].value("finalizers", json::array());
  return text_at(object, "/status/nodeName").empty() &&
         (finalizers == json::array({kVmiFinalizer}) || finalizers == json::array({kOldVmiFinalizer}));
}

}  // namespace usbloop::apiserver
