#include <limits>

#include "kube-sim/objects/codec.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/objects/patch.h"
#include "kube-sim/resources/cell.h"
#include "kube-sim/rest/rest_handler.h"
#include "kube-sim/schema/field_error.h"
#include "kube-sim/schema/field_path.h"

// The subresource scale: autoscaling/v1 Scale, made from paths of the object.
namespace usbloop::apiserver {
namespace {

using nlohmann::json;

std::int64_t number_at(const json& object, const std::string& path) {
  const auto parsed = FieldPath::parse(path);
  const json* found = parsed ? parsed->first(object) : nullptr;
  return found == nullptr ? 0 : int64_of(*found, 0);
}

json scale_of(const json& object, const ScalePaths& paths) {
  json metadata = json::object();
  for (const char* name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (object["metadata"].contains(name)) metadata[name] = object["metadata"][name];
  }
  json scale = {{"kind", "Scale"},
                {"apiVersion", "autoscaling/v1"},
                {"metadata", std::move(metadata)},
                {"spec", {{"replicas", number_at(object, paths.replicas)}}},
                {"status", {{"replicas", number_at(object, paths.status_replicas)}}}};
  const auto path = FieldPath::parse(paths.selector);
  const json* selector = path && !paths.selector.empty() ? path->first(object) : nullptr;
  if (selector != nullptr && selector->is_string()) scale["status"]["selector"] = *selector;
  if (selector != nullptr && selector->is_object()) scale["status"]["selector"] = selector_text(*selector);
  return scale;
}

/// The number of replicas that a Scale wishes, or why it cannot be.
tl::expected<std::int64_t, kube::Status> wished_replicas(const json& scale) {
  const json* replicas = element_at(scale, "/spec/replicas");
  const std::int64_t number = replicas == nullptr || replicas->is_null() ? 0 : int64_of(*replicas, -1);
  if (number >= 0 && number <= std::numeric_limits<std::int32_t>::max()) return number;
  return tl::unexpected(kube::invalid("autoscaling", "Scale", text_at(scale, "/metadata/name"),
                                      {field::invalid("spec.replicas", *replicas, "must be a non-negative integer")}));
}

}  // namespace

Response RestHandler::scale(const View& view, const Request& request, const RequestInfo& info) {
  const ScalePaths& paths = *view.resource.info().scale;
  const Key key = key_of(view, info);
  if (info.verb == "get") {
    const ObjectPtr object = store_.get(key);
    if (object) return answer_json(200, scale_of(object->parse(), paths).dump());
    return answer_status(kube::not_found(view.resource.info().group, view.resource.info().plural, info.name));
  }
  const bool patches = info.verb == "patch";
  const auto options = read_write_options(request, patches ? "PatchOptions" : "UpdateOptions");
  if (!options) return answer_status(options.error());
  const auto type = patches ? patch_type(request.content_type, true) : PatchType::merge;
  if (!type) return answer_status(type.error());
  if (*type == PatchType::apply) {
    return answer_status(kube::unsupported_media_type(
        {"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"}));
  }
  const auto body = patches ? parse_patch(*type, request.body)
                            : decode_object(request.content_type, request.body, registry_.schemas());
  if (!body) return answer_status(body.error());
  const auto edit = [&](const json& current) -> tl::expected<json, kube::Status> {
    tl::expected<json, kube::Status> wished = *body;
    // A Scale has no lists, so a strategic merge is a merge.
    if (patches)
      wished = apply_patch(*type == PatchType::json ? *type : PatchType::merge, scale_of(current, paths), *body,
                           MergeSchema());
    if (!wished) return wished;
    const std::string version = resource_version(*wished);
    if (!version.empty() && version != resource_version(current)) {
      return tl::unexpected(kube::object_modified(view.resource.info().group, view.resource.info().plural, info.name));
    }
    const auto replicas = wished_replicas(*wished);
    if (!replicas) return tl::unexpected(replicas.error());
    json scaled = current;
    const auto path = FieldPath::parse(paths.replicas);
    if (!path || !path->put(scaled, *replicas)) {
      return tl::unexpected(kube::internal_error("the object has no place for " + paths.replicas));
    }
    return scaled;
  };
  const WrittenBy by{manager_of(*options, request), view.resource.api_version(view.version), false, request.user};
  const Outcome outcome = writer_.update(view.resource, key, request.user, {false, options->dry_run, by}, edit);
  if (!outcome) return answer_status(outcome.error());
  return answer_json(200, scale_of((*outcome)->parse(), paths).dump());
}

}  // namespace usbloop::apiserver
