#include "apiserver-sim/subresource/vmi_checks.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/kinds/vmi.h"
#include "kube-sim/resources/node.h"
#include "kube-sim/resources/pod.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Refused = std::optional<kube::Status>;

constexpr const char* kVmi = "virtualmachineinstance";  // virt-api names the kind and not the plural
constexpr const char* kChannelPointer = "/metadata/annotations/usbloop.dev~1channel";

kube::Status conflict(const json& vmi, std::string_view cause) {
  return kube::conflict(kKubevirtGroup, kVmi, text_at(vmi, "/metadata/name"), cause);
}

bool is_running(const json& vmi) { return text_at(vmi, "/status/phase") == "Running"; }

bool is_false(const json& vmi, const char* pointer) {
  const json* value = element_at(vmi, pointer);
  return value != nullptr && value->is_boolean() && !value->get<bool>();
}

bool has_object(const json& vmi, const char* pointer) {
  const json* value = element_at(vmi, pointer);
  return value != nullptr && value->is_object();
}

/// Whatever the condition's status is: the real server looks for its presence only.
bool shows_condition(const json& vmi, const std::string& type) { return !condition_status(vmi, type).empty(); }

/// Whether a virt-handler pod is on the node, found as virt-api finds it: by its label and the node's name. One that is
/// being deleted still serves.
bool has_handler(const Store& store, const std::string& node) {
  for (const ObjectPtr& pod : store.list(kPodResource, kKubeVirtNamespace).objects) {
    const auto app = pod->labels.find(kAppLabel);
    const auto on = pod->fields.find("spec.nodeName");
    if (app != pod->labels.end() && app->second == "virt-handler" && on != pod->fields.end() && on->second == node) {
      return true;
    }
  }
  return false;
}

/// The path in the node's annotation "unix:/…"; empty when there is none.
std::string channel_of(const Store& store, const std::string& node) {
  constexpr std::string_view kScheme = "unix:";
  const ObjectPtr object = node.empty() ? nullptr : store.get({kNodeResource, "", node});
  if (!object) return {};
  const std::string channel = text_at(object->parse(), kChannelPointer);
  return channel.starts_with(kScheme) ? channel.substr(kScheme.size()) : std::string();
}

}  // namespace

Refused check_usbredir(const json& vmi) {
  if (text_at(vmi, "/spec/architecture") == "s390x") return conflict(vmi, "No USB support on s390x");
  if (!has_object(vmi, "/spec/domain/devices/clientPassthrough")) {
    return conflict(vmi, "Not configured with USB Redirection");
  }
  if (!is_running(vmi)) return kube::bad_request("VMI is not running");
  return std::nullopt;
}

Refused check_console(const json& vmi) {
  if (is_false(vmi, "/spec/domain/devices/autoattachSerialConsole")) {
    return kube::bad_request("No serial consoles are present.");
  }
  if (text_at(vmi, "/status/phase") == "Failed") return conflict(vmi, "VMI is in failed status");
  if (!is_running(vmi)) return kube::bad_request("VMI is not running");
  return std::nullopt;
}

Refused check_vnc(const json& vmi) {
  if (is_false(vmi, "/spec/domain/devices/autoattachGraphicsDevice")) {
    return kube::bad_request("No graphics devices are present.");
  }
  if (!is_running(vmi)) return kube::bad_request("VMI is not running");
  return std::nullopt;
}

Refused check_portforward(const json& vmi) {
  if (shows_condition(vmi, "Paused")) return conflict(vmi, "VMI is paused");
  return std::nullopt;
}

Refused check_pause(const json& vmi) {
  if (!is_running(vmi)) return conflict(vmi, "VM is not running");  // "VM": so the real server says
  if (has_object(vmi, "/spec/livenessProbe")) {
    const std::string name = text_at(vmi, "/metadata/name");
    return kube::forbidden(kKubevirtGroup, kVmi, name,
                           kube::qualified_resource(kKubevirtGroup, kVmi) + " \"" + name +
                               "\" is forbidden: Pausing VMIs with LivenessProbe is currently not supported");
  }
  if (shows_condition(vmi, "Paused")) return conflict(vmi, "VMI is already paused");
  return std::nullopt;
}

Refused check_unpause(const json& vmi) {
  if (!is_running(vmi)) return conflict(vmi, "VMI is not running");
  if (!shows_condition(vmi, "Paused")) return conflict(vmi, "VMI is not paused");
  return std::nullopt;
}

Refused check_softreboot(const json& vmi) {
  if (!is_running(vmi)) return conflict(vmi, "VM is not running");
  if (condition_status(vmi, "Paused") == "True") return conflict(vmi, "VMI is paused");
  if (!shows_condition(vmi, "AgentConnected") && is_false(vmi, "/spec/domain/features/acpi/enabled")) {
    return conflict(vmi, "VMI neither have the agent connected nor the ACPI feature enabled");
  }
  return std::nullopt;
}

Refused check_freeze(const json& vmi) {
  if (!is_running(vmi)) return conflict(vmi, "VM is not running");
  return std::nullopt;
}

Refused check_unfreeze(const json& vmi) {
  if (!is_running(vmi)) return conflict(vmi, "VMI is not running");
  return std::nullopt;
}

Refused check_reset(const json& vmi) {
  if (is_running(vmi)) return std::nullopt;
  const std::string phase = text_at(vmi, "/status/phase");
  return kube::bad_request("Failed to reset non-running VMI with phase " + phase +
                           ": Unable to connect to VirtualMachineInstance because phase is " + phase +
                           " instead of Running");
}

Refused check_guest_agent(const json& vmi) {
  if (!is_running(vmi)) return conflict(vmi, "VMI is not running");
  if (!shows_condition(vmi, "AgentConnected")) return conflict(vmi, "VMI does not have guest agent connected");
  return std::nullopt;
}

tl::expected<json, kube::Status> find_vmi(const Store& store, const std::string& namespace_, const std::string& name) {
  const ObjectPtr object = store.get({kVmiResource, namespace_, name});
  if (!object) return tl::unexpected(kube::not_found(kKubevirtGroup, kVmi, name));
  return object->parse();
}

tl::expected<NodeChannel, kube::Status> find_channel(const Store& store, const std::string& namespace_,
                                                     const std::string& name, VmiCheck check) {
  const auto vmi = find_vmi(store, namespace_, name);
  if (!vmi) return tl::unexpected(vmi.error());
  if (auto refused = check(*vmi)) return tl::unexpected(std::move(*refused));
  NodeChannel channel;
  channel.node = text_at(*vmi, "/status/nodeName");
  channel.socket_path = channel_of(store, channel.node);
  if (channel.socket_path.empty() || !has_handler(store, channel.node)) {
    return tl::unexpected(kube::bad_request("No virt-handler on node " + channel.node + " found"));
  }
  return channel;
}

}  // namespace usbloop::apiserver
