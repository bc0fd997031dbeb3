#include "kube-sim/resources/workload.h"

#include "kube-sim/resources/selector_object.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

bool is_empty_selector(const json& selector) {
  return selector.value("matchLabels", json()).empty() && selector.value("matchExpressions", json()).empty();
}

}  // namespace

WorkloadResource::WorkloadResource(const std::string& kind) : Resource("apps/v1", kind) {}

Causes WorkloadResource::validate(const json& object) const {
  Causes causes = Resource::validate(object);
  if (!causes.empty() || !object.value("spec", json()).is_object()) return causes;
  const json& spec = object["spec"];
  if (is_empty_selector(spec["selector"])) {
    causes.push_back(
        field::invalid("spec.selector", spec["selector"],
                       "empty selector is invalid for " + std::string(info().kind == "Deployment"    ? "deployment"
                                                                      : info().kind == "StatefulSet" ? "statefulset"
                                                                                                     : "daemonset")));
  }
  const json* labels = element_at(spec, "/template/metadata/labels");
  if (!selector_fits(spec["selector"], labels == nullptr ? json::object() : *labels)) {
    causes.push_back(field::invalid("spec.template.metadata.labels", labels == nullptr ? json() : *labels,
                                    "`selector` does not match template `labels`"));
  }
  const json* replicas = element_at(spec, "/replicas");
  if (replicas != nullptr && replicas->is_number() && *replicas < 0) {
    causes.push_back(field::invalid("spec.replicas", *replicas, "must be greater than or equal to 0"));
  }
  const std::string restart = text_at(spec, "/template/spec/restartPolicy");
  if (!restart.empty() && restart != "Always") {
    causes.push_back(field::not_supported("spec.template.spec.restartPolicy", field::quoted(restart), {"Always"}));
  }
  return causes;
}

std::optional<kube::Status> WorkloadResource::refuse_update(const json& object, const json& current,
                                                            const User&) const {
  const json* before = element_at(current, "/spec/selector");
  const json* after = element_at(object, "/spec/selector");
  if (before == nullptr || after == nullptr || *before == *after) return std::nullopt;
  return kube::invalid(info().group, info().kind, text_at(current, "/metadata/name"),
                       {field::invalid("spec.selector", *after, "field is immutable")});
}

}  // namespace usbloop::apiserver
