#include "kube-sim/objects/managed_fields/last_applied.h"

#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/// kubectl's manager for server-side apply; its client-side apply has another one.
constexpr const char* kKubectl = "kubectl";
/// Beyond it the annotation would not fit any more: it goes.
constexpr std::size_t kMostLastAppliedBytes = 256 * 1024;

std::string annotation_of(const json& object) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return {};
  const auto annotations = metadata->find("annotations");
  if (annotations == metadata->end() || !annotations->is_object()) return {};
  const auto found = annotations->find(kAnnotation);
  return found != annotations->end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

bool last_applied_allows(const json& live, const std::vector<Conflict>& conflicts, const Manager& manager,
                         const MergeSchema& schema) {
  if (manager.name != kKubectl || !manager.applies) return false;
  const std::string text = annotation_of(live);
  if (text.empty()) return false;
  const auto last = parse_json(text);
  if (!last || !last->is_object()) return false;
  FieldSet allowed = places_of(*last, &schema);
  allowed.children["f:metadata"].children["f:annotations"].children[std::string("f:") + kAnnotation].self = true;
  for (const Conflict& conflict : conflicts) {
    FieldSet left = conflict.fields;
    left.subtract(allowed);
    if (!left.empty()) return false;
  }
  return true;
}

bool update_last_applied(const json& live, json& object, const json& configuration, const Manager& manager) {
  if (manager.name != kKubectl || !manager.applies || annotation_of(live).empty()) return false;
  if (annotation_of(object).empty()) return false;
  json shown = configuration;
  if (const auto metadata = shown.find("metadata"); metadata != shown.end() && metadata->is_object()) {
    metadata->erase("managedFields");
    if (const auto annotations = metadata->find("annotations"); annotations != metadata->end()) {
      annotations->erase(kAnnotation);
    }
  }
  const std::string text = shown.dump() + "\n";
  json& annotations = object["metadata"]["annotations"];
  if (annotations[kAnnotation] == text) return false;
  if (text.size() > kMostLastAppliedBytes) {
    annotations.erase(kAnnotation);
  } else {
    annotations[kAnnotation] = text;
  }
  return true;
}

}  // namespace usbloop::apiserver
