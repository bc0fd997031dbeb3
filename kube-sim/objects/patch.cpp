#include "kube-sim/objects/patch.h"

#include <algorithm>

#include "kube-sim/objects/codec.h"
#include "kube-sim/objects/strategic_merge.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxOperations = 10'000;  // as kube-apiserver

/// Whatever it is that does not fit: kube-apiserver says no more either.
kube::Status unprocessable() {
  kube::Status status;
  status.code = 422;
  status.reason = "Invalid";
  status.message = "the server rejected our request due to an error in our request";
  return status;
}

kube::Status undecodable(const std::string& why) { return kube::bad_request("error decoding patch: " + why); }

/// The type of a value, as Go's decoder calls it.
std::string go_name(const json& value) { return value.is_boolean() ? "bool" : value.type_name(); }

kube::Status too_many_operations(std::size_t count) {
  kube::Status status = kube::request_entity_too_large(kMaxOperations);
  status.message = "Request entity too large: The allowed maximum operations in a JSON patch is " +
                   std::to_string(kMaxOperations) + ", got " + std::to_string(count);
  return status;
}

/// Whether the tree is at most `most` levels deep; looks no further.
bool is_shallow(const json& tree, int most) {
  if (!tree.is_structured()) return true;
  return most > 0 &&
         std::all_of(tree.begin(), tree.end(), [&](const json& child) { return is_shallow(child, most - 1); });
}

/// Keeps the operations of one patch from growing the object without end: a few dozen copies can double its size, or
/// its depth, each time.
class Budget {
 public:
  bool allows(const json& object, const json& operation) {
    const std::string name = operation.value("op", "");
    const std::string path = operation.value("path", "");
    const int room = kMaxJsonDepth - static_cast<int>(std::count(path.begin(), path.end(), '/'));
    if (name == "copy" || name == "move") {
      const json::json_pointer from(operation.value("from", ""));
      if (!object.contains(from)) return true;  // fails by itself
      const json& value = object.at(from);
      if (!is_shallow(value, room)) return false;
      spent_ += value.dump().size();
      return spent_ <= kMaxBodyBytes;
    }
    return !operation.contains("value") || is_shallow(operation["value"], room);
  }

 private:
  std::size_t spent_ = 0;  ///< bytes that copies and moves have handled
};

tl::expected<json, kube::Status> apply_json_patch(json object, const json& patch) {
  if (!patch.is_array()) {
    return tl::unexpected(
        undecodable("json: cannot unmarshal " + go_name(patch) + " into Go value of type []handlers.jsonPatchOp"));
  }
  if (patch.size() > kMaxOperations) return tl::unexpected(too_many_operations(patch.size()));
  Budget budget;
  try {
    for (const json& operation : patch) {
      if (!operation.is_object()) {
        return tl::unexpected(undecodable("json: cannot unmarshal " + go_name(operation) +
                                          " into Go value of type handlers.jsonPatchOp"));
      }
      if (!budget.allows(object, operation)) return tl::unexpected(unprocessable());
      object.patch_inplace(json::array({operation}));
    }
  } catch (const json::exception&) {
    return tl::unexpected(unprocessable());
  }
  return object;
}

}  // namespace

tl::expected<PatchType, kube::Status> patch_type(const std::string& content_type, bool takes_strategic_merge) {
  const std::string type = media_type(content_type);
  if (type == "application/json-patch+json") return PatchType::json;
  if (type == "application/merge-patch+json") return PatchType::merge;
  if (type == "application/apply-patch+yaml") return PatchType::apply;
  if (takes_strategic_merge) {
    if (type == "application/strategic-merge-patch+json") return PatchType::strategic_merge;
    return tl::unexpected(
        kube::unsupported_media_type({"application/json-patch+json", "application/merge-patch+json",
                                      "application/strategic-merge-patch+json", "application/apply-patch+yaml"}));
  }
  return tl::unexpected(kube::unsupported_media_type(
      {"application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"}));
}

tl::expected<json, kube::Status> parse_patch(PatchType type, const std::string& body) {
  auto patch = parse_json(body);
  // kubectl sends JSON under the YAML type; only what is no JSON has to be YAML.
  if (!patch && type == PatchType::apply) patch = parse_yaml(body);
  if (!patch) return tl::unexpected(undecodable(patch.error().message));
  if (type != PatchType::json && !patch->is_object()) {
    return tl::unexpected(kube::bad_request("the patch is not an object"));
  }
  return patch;
}

tl::expected<json, kube::Status> apply_patch(PatchType type, const json& current, const json& patch,
                                             const MergeSchema& schema) {
  tl::expected<json, kube::Status> patched = current;
  switch (type) {
    case PatchType::json: patched = apply_json_patch(current, patch); break;
    case PatchType::strategic_merge:
      if (auto refused = refuse_directives(patch, &schema)) return tl::unexpected(*refused);
      strategic_merge(*patched, patch, &schema);
      break;
    case PatchType::merge:
    case PatchType::apply: patched->merge_patch(patch); break;
  }
  if (!patched) return patched;
  if (!patched->is_object() || !(*patched)["metadata"].is_object()) {
    return tl::unexpected(unprocessable());
  }
  if (!depth_is_fine(*patched)) return tl::unexpected(kube::bad_request("the object is nested too deeply"));
  return patched;
}

}  // namespace usbloop::apiserver
