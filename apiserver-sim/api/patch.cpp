#include "apiserver-sim/api/patch.h"

#include "apiserver-sim/api/codec.h"
#include "apiserver-sim/api/strategic_merge.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxOperations = 10'000;  // as kube-apiserver

kube::Status unprocessable(const std::string& cause) {
  kube::Status status;
  status.code = 422;
  status.reason = "Invalid";
  status.message = "the server rejected our request due to an error in our request: " + cause;
  return status;
}

/// Bytes that the copy operations of one patch have made so far; a few dozen of them can double an object each time.
class CopyBudget {
 public:
  bool spend(const json& object, const json& operation) {
    if (operation.value("op", "") != "copy") return true;
    const json::json_pointer from(operation.value("from", ""));
    if (!object.contains(from)) return true;  // fails by itself
    spent_ += object.at(from).dump().size();
    return spent_ <= kMaxBodyBytes;
  }

 private:
  std::size_t spent_ = 0;
};

tl::expected<json, kube::Status> apply_json_patch(json object, const json& patch) {
  if (!patch.is_array()) return tl::unexpected(kube::bad_request("a JSON patch is a list of operations"));
  if (patch.size() > kMaxOperations) {
    return tl::unexpected(kube::request_entity_too_large(kMaxOperations));
  }
  CopyBudget budget;
  try {
    for (const json& operation : patch) {
      if (!operation.is_object()) return tl::unexpected(kube::bad_request("an operation of a JSON patch is an object"));
      if (!budget.spend(object, operation))
        return tl::unexpected(kube::bad_request("the patch makes the object too large"));
      object = object.patch(json::array({operation}));
    }
  } catch (const json::exception& error) {
    return tl::unexpected(unprocessable(error.what()));
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
  if (patch && type != PatchType::json && !patch->is_object()) {
    return tl::unexpected(kube::bad_request("the patch is not an object"));
  }
  return patch;
}

tl::expected<json, kube::Status> apply_patch(PatchType type, const json& current, const json& patch) {
  tl::expected<json, kube::Status> patched = current;
  switch (type) {
    case PatchType::json: patched = apply_json_patch(current, patch); break;
    case PatchType::strategic_merge: strategic_merge(*patched, patch); break;
    case PatchType::merge:
    case PatchType::apply: patched->merge_patch(patch); break;
  }
  if (!patched) return patched;
  if (!patched->is_object() || !(*patched)["metadata"].is_object()) {
    return tl::unexpected(unprocessable("the patch leaves no object"));
  }
  if (!depth_is_fine(*patched)) return tl::unexpected(kube::bad_request("the object is nested too deeply"));
  return patched;
}

}  // namespace usbloop::apiserver
