#include "kube-sim/resources/pod.h"

#include <algorithm>

#include "kube-sim/resources/names.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::int64_t kDefaultGraceSeconds = 30;

void set_default(json& object, const char* name, json value) {
  if (!object.contains(name) || object[name].is_null()) object[name] = std::move(value);
}

void default_container(json& container) {
  set_default(container, "imagePullPolicy", "IfNotPresent");
  set_default(container, "resources", json::object());
  set_default(container, "terminationMessagePath", "/dev/termination-log");
  set_default(container, "terminationMessagePolicy", "File");
}

void fill_spec(json& spec) {
  set_default(spec, "restartPolicy", "Always");
  set_default(spec, "terminationGracePeriodSeconds", kDefaultGraceSeconds);
  set_default(spec, "dnsPolicy", "ClusterFirst");
  set_default(spec, "schedulerName", "default-scheduler");
  set_default(spec, "securityContext", json::object());
  set_default(spec, "enableServiceLinks", true);
  if (spec.contains("containers") && spec["containers"].is_array()) {
    for (json& container : spec["containers"]) {
      if (container.is_object()) default_container(container);
    }
  }
}

/// What the schema does not say of a container.
void check_container(const json& container, const std::string& path, Causes& causes) {
  const std::string name = text_at(container, "/name");
  if (name.empty()) causes.push_back({"FieldValueRequired", "Required value", path + ".name"});
  if (!name.empty() && !is_dns_label(name)) {
    causes.push_back({"FieldValueInvalid",
                      "Invalid value: \"" + name +
                          "\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                          "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
                          "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
                      path + ".name"});
  }
  if (text_at(container, "/image").empty()) {
    causes.push_back({"FieldValueRequired", "Required value", path + ".image"});
  }
}

/// What a printer of pods counts.
struct Containers {
  std::size_t total = 0;
  std::int64_t ready = 0;
  std::int64_t restarts = 0;
  std::string reason;  ///< why one of them waits or has ended
};

std::string state_reason(const json& status) {
  if (std::string reason = text_at(status, "/state/waiting/reason"); !reason.empty()) return reason;
  if (std::string reason = text_at(status, "/state/terminated/reason"); !reason.empty()) return reason;
  const json* code = element_at(status, "/state/terminated/exitCode");
  return code != nullptr && code->is_number_integer() ? "ExitCode:" + code->dump() : std::string();
}

Containers count_containers(const json& pod) {
  Containers containers;
  if (const json* list = element_at(pod, "/spec/containers"); list != nullptr) containers.total = list->size();
  const json* statuses = element_at(pod, "/status/containerStatuses");
  if (statuses == nullptr || !statuses->is_array()) return containers;
  for (const json& status : *statuses) {
    if (!status.is_object()) continue;
    const json* ready = element_at(status, "/ready");
    if (ready != nullptr && *ready == true && status.contains("state") && status["state"].contains("running")) {
      ++containers.ready;
    }
    const json* restarts = element_at(status, "/restartCount");
    if (restarts != nullptr && restarts->is_number_integer()) containers.restarts += restarts->get<std::int64_t>();
    if (const std::string reason = state_reason(status); !reason.empty()) containers.reason = reason;
  }
  return containers;
}

/// As kubectl's printer puts it together.
std::string status_cell(const json& pod, const Containers& containers) {
  const std::string why = text_at(pod, "/status/reason");
  std::string reason = why.empty() ? text_at(pod, "/status/phase") : why;
  if (!containers.reason.empty()) reason = containers.reason;
  if (reason == "Completed" && containers.ready > 0) reason = has_condition(pod, "Ready") ? "Running" : "NotReady";
  if (text_at(pod, "/metadata/deletionTimestamp").empty()) return reason;
  if (why == "NodeLost") return "Unknown";
  return is_over(pod) ? reason : "Terminating";
}

std::string gates_cell(const json& pod) {
  const json* gates = element_at(pod, "/spec/readinessGates");
  if (gates == nullptr || !gates->is_array() || gates->empty()) return "<none>";
  const auto ready = std::count_if(gates->begin(), gates->end(), [&](const json& gate) {
    return has_condition(pod, text_at(gate, "/conditionType").c_str());
  });
  return std::to_string(ready) + "/" + std::to_string(gates->size());
}

}  // namespace

bool is_over(const json& pod) {
  const std::string phase = text_at(pod, "/status/phase");
  return phase == "Succeeded" || phase == "Failed";
}

bool has_condition(const json& object, const char* type) { return condition_status(object, type) == "True"; }

std::string qos_class(const json& pod) {
  bool any = false;
  bool limited = true;
  const json* containers = element_at(pod, "/spec/containers");
  if (containers == nullptr || !containers->is_array()) return "BestEffort";
  for (const json& container : *containers) {
    const json resources = container.is_object() ? container.value("resources", json::object()) : json::object();
    const json requests = resources.value("requests", json::object());
    const json limits = resources.value("limits", json::object());
    any = any || !requests.empty() || !limits.empty();
    for (const char* name : {"cpu", "memory"}) {
      limited = limited && limits.contains(name) && (!requests.contains(name) || requests[name] == limits[name]);
    }
  }
  if (!any) return "BestEffort";
  return limited ? "Guaranteed" : "Burstable";
}

PodResource::PodResource() : Resource("v1", "Pod") {}

void PodResource::prepare_create(json& object, const std::string&) const {
  json& spec = object["spec"];
  if (!spec.is_object()) {
    if (spec.is_null()) object.erase("spec");
    return;
  }
  fill_spec(spec);
  object["status"] = {{"phase", "Pending"}, {"qosClass", qos_class(object)}};
}

void PodResource::prepare_update(json& object, const json& current, bool status_only) const {
  Resource::prepare_update(object, current, status_only);
  // A container that comes anew without its defaults has not changed.
  if (object.contains("spec") && object["spec"].is_object()) fill_spec(object["spec"]);
}

Causes PodResource::validate(const json& object) const {
  Causes causes = Resource::validate(object);
  if (!causes.empty()) return causes;
  const json* containers = element_at(object, "/spec/containers");
  if (containers == nullptr || !containers->is_array() || containers->empty()) {
    return {{"FieldValueRequired", "Required value", "spec.containers"}};
  }
  for (std::size_t i = 0; i < containers->size(); ++i) {
    check_container((*containers)[i], "spec.containers[" + std::to_string(i) + "]", causes);
  }
  return causes;
}

std::optional<kube::Status> PodResource::refuse_update(const json& object, const json& current,
                                                       const User& user) const {
  if (object.value("spec", json()) == current.value("spec", json())) return std::nullopt;
  // The scheduler binds a pod once; that is no update of a user.
  if (user.name == "system:kube-scheduler") return std::nullopt;
  json mutable_part = object["spec"];
  json before = current["spec"];
  for (const char* name : {"tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds"}) {
    mutable_part.erase(name);
    before.erase(name);
  }
  for (json* spec : {&mutable_part, &before}) {
    if (!spec->contains("containers")) continue;
    for (json& container : (*spec)["containers"]) container.erase("image");
  }
  if (mutable_part == before) return std::nullopt;
  return kube::invalid(
      "", "Pod", text_at(current, "/metadata/name"),
      {{"FieldValueForbidden",
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
        "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        "spec"}});
}

std::int64_t PodResource::deletion_grace(const json& object, std::optional<std::int64_t> wish) const {
  // Nobody runs it: there is no one to wait for.
  if (text_at(object, "/spec/nodeName").empty() || is_over(object)) return 0;
  const json* own = element_at(object, "/spec/terminationGracePeriodSeconds");
  const std::int64_t grace = wish             ? *wish
                             : own != nullptr ? int64_of(*own, kDefaultGraceSeconds)
                                              : kDefaultGraceSeconds;
  return grace < 0 ? 1 : grace;  // as kube-apiserver takes what is negative
}

json PodResource::cells(const json& object, std::int64_t now) const {
  const auto text_or_none = [&](const char* pointer) {
    const std::string text = text_at(object, pointer);
    return text.empty() ? std::string("<none>") : text;
  };
  const Containers containers = count_containers(object);
  return {text_at(object, "/metadata/name"),
          std::to_string(containers.ready) + "/" + std::to_string(containers.total),
          status_cell(object, containers),
          std::to_string(containers.restarts),
          age_of(text_at(object, "/metadata/creationTimestamp"), now),
          text_or_none("/status/podIP"),
          text_or_none("/spec/nodeName"),
          text_or_none("/status/nominatedNodeName"),
          gates_cell(object)};
}

}  // namespace usbloop::apiserver
