#include "apiserver-sim/resources/vmi.h"

#include <algorithm>

#include "apiserver-sim/resources/quantity.h"
#include "apiserver-sim/resources/schema_check.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

void check_domain(const json& spec, Causes& causes) {
  SchemaCheck check(spec, "spec", causes);
  const json* domain = check.required_object("domain");
  if (domain == nullptr) return;
  SchemaCheck in_domain(*domain, "spec.domain", causes);
  if (const json* devices = in_domain.optional_object("devices")) {
    SchemaCheck in_devices(*devices, "spec.domain.devices", causes);
    in_devices.optional_object("clientPassthrough");
    in_devices.optional_array("disks");
    in_devices.optional_array("interfaces");
    in_devices.optional_boolean("autoattachSerialConsole");
  }
  if (const json* memory = in_domain.optional_object("memory")) {
    SchemaCheck(*memory, "spec.domain.memory", causes).optional_quantity("guest");
  }
  if (const json* cpu = in_domain.optional_object("cpu")) {
    SchemaCheck in_cpu(*cpu, "spec.domain.cpu", causes);
    for (const char* name : {"cores", "sockets", "threads"}) in_cpu.optional_positive(name);
  }
  if (const json* resources = in_domain.optional_object("resources")) {
    SchemaCheck in_resources(*resources, "spec.domain.resources", causes);
    for (const char* name : {"requests", "limits"}) {
      const json* amounts = in_resources.optional_object(name);
      if (amounts == nullptr) continue;
      SchemaCheck in_amounts(*amounts, std::string("spec.domain.resources.") + name, causes);
      for (const auto& [key, value] : amounts->items()) in_amounts.optional_quantity(key.c_str());
    }
  }
}

bool is_kubevirt_component(const User& user) { return user.in_group("system:nodes"); }

}  // namespace

VmiResource::VmiResource()
    : Resource({.group = "kubevirt.io",
                .version = "v1",
                .plural = "virtualmachineinstances",
                .singular = "virtualmachineinstance",
                .kind = "VirtualMachineInstance",
                .short_names = {"vmi", "vmis"},
                .categories = {"all"},
                .other_versions = {"v1alpha3"}}) {}

void VmiResource::prepare_create(json& object, const std::string& now) const {
  auto& metadata = object["metadata"];
  auto& finalizers = metadata["finalizers"];
  if (!finalizers.is_array()) finalizers = json::array();
  if (std::find(finalizers.begin(), finalizers.end(), kVmiFinalizer) == finalizers.end()) {
    finalizers.push_back(kVmiFinalizer);
  }
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
  Causes causes;
  SchemaCheck top(object, "", causes);
  const json* spec = top.required_object("spec");
  if (spec == nullptr) return causes;
  SchemaCheck in_spec(*spec, "spec", causes);
  in_spec.optional_string_map("nodeSelector");
  in_spec.optional_string("architecture");
  in_spec.optional_array("volumes");
  in_spec.optional_array("networks");
  check_domain(*spec, causes);
  if (const json* status = top.optional_object("status")) {
    SchemaCheck in_status(*status, "status", causes);
    in_status.optional_string("phase");
    in_status.optional_string("nodeName");
    in_status.optional_array("conditions");
  }
  return causes;
}

std::optional<kube::Status> VmiResource::refuse_update(const json& object, const json& current,
                                                       const User& user) const {
  if (is_kubevirt_component(user) || object.value("spec", json()) == current.value("spec", json())) return std::nullopt;
  kube::Status status;
  status.code = 422;
  status.reason = "Invalid";
  status.message =
      "admission webhook \"virtualmachineinstances-update-validator.kubevirt.io\" denied the request: update of VMI "
      "object is restricted";
  status.causes.push_back({"FieldValueNotSupported", "update of VMI object is restricted", ""});
  return status;
}

bool VmiResource::removable_with_finalizers(const json& object) const {
  // Nobody but the node would take the finalizer off, and there is none yet. Finalizers of others are waited for.
  const json& finalizers = object["metadata"].value("finalizers", json::array());
  return text_at(object, "/status/nodeName").empty() && finalizers == json::array({kVmiFinalizer});
}

const std::vector<std::string>& VmiResource::selectable_names() const {
  static const std::vector<std::string> kNames = {"status.nodeName", "status.phase"};
  return kNames;
}

const std::vector<Column>& VmiResource::columns() const {
  static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name must be unique within a namespace."},
                                               {"Age", "date"},
                                               {"Phase", "string"},
                                               {"IP", "string"},
                                               {"NodeName", "string"},
                                               {"Ready", "string"},
                                               {"Live-Migratable", "string", "", 1},
                                               {"Paused", "string", "", 1}};
  return kColumns;
}

json VmiResource::cells(const json& object, std::int64_t now) const {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json() : json(text); };
  return {text_at(object, "/metadata/name"),
          age_of(text_at(object, "/metadata/creationTimestamp"), now),
          text_or_null(text_at(object, "/status/phase")),
          text_or_null(text_at(object, "/status/interfaces/0/ipAddress")),
          text_or_null(text_at(object, "/status/nodeName")),
          text_or_null(condition_status(object, "Ready")),
          text_or_null(condition_status(object, "LiveMigratable")),
          text_or_null(condition_status(object, "Paused"))};
}

}  // namespace usbloop::apiserver
