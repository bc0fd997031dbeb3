#include "kube-sim/documents/openapi.h"

#include <nlohmann/json.hpp>

#include "common/kube/versions.h"
#include "kube-sim/documents/api_groups.h"
#include "kube-sim/documents/discovery.h"
#include "kube-sim/documents/gnostic.h"
#include "kube-sim/documents/paths.h"
#include "kube-sim/documents/schema_writer.h"
#include "kube-sim/objects/answer.h"
#include "kube-sim/request/content_hash.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kIndex = "/openapi/v3";
constexpr const char* kV2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

ordered_json info() { return {{"title", "Kubernetes"}, {"version", kube::kKubernetesVersion}}; }

/// Adds the kinds and the paths of a group version; false when it has no described kind.
bool add_group_version(const ApiGroup& group, const ApiVersion& version, OpenApiVersion form, SchemaWriter& writer,
                       ordered_json& paths) {
  bool any = false;
  for (const ApiResource& resource : version.resources) {
    const std::string stored = group.group_version(group.versions.front());
    const std::string served = group.group_version(version);
    const nlohmann::json* schema = resource.custom ? resource.custom->openapi(version.version) : nullptr;
    if (schema != nullptr) {
      writer.add_custom_kind(served, resource.kind, *schema);
    } else if (!writer.add_kind(stored, served, resource.kind)) {
      continue;
    }
    add_resource_paths(group, version, resource, form, writer, paths);
    any = true;
  }
  return any;
}

/// Empty when the group version has no described kind.
std::string v3_document(const SchemaSet& schemas, const ApiGroup& group, const ApiVersion& version) {
  SchemaWriter writer(schemas, OpenApiVersion::v3);
  ordered_json paths = ordered_json::object();
  if (!add_group_version(group, version, OpenApiVersion::v3, writer, paths)) return {};
  return ordered_json{
      {"openapi", "3.0.0"}, {"info", info()}, {"paths", paths}, {"components", {{"schemas", writer.definitions()}}}}
      .dump();
}

ordered_json v2_document(const SchemaSet& schemas, const std::vector<ApiGroup>& groups) {
  SchemaWriter writer(schemas, OpenApiVersion::v2);
  ordered_json paths = ordered_json::object();
  for (const ApiGroup& group : groups) {
    for (const ApiVersion& version : group.versions)
      add_group_version(group, version, OpenApiVersion::v2, writer, paths);
  }
  return {{"swagger", "2.0"}, {"info", info()}, {"paths", paths}, {"definitions", writer.definitions()}};
}

/// Whether an Accept header takes JSON, or names protobuf first. The answer never echoes it: clients could not parse
/// the name that they send.
bool wants_protobuf(const std::string& accept) {
  const auto protobuf = accept.find("application/com.github.proto-openapi.spec.v2");
  return protobuf != std::string::npos && protobuf <= accept.find("application/json");
}

}  // namespace

std::shared_ptr<const OpenApi::Documents> OpenApi::make_documents() const {
  auto made = std::make_shared<Documents>();
  made->generation = registry_.generation();
  const std::vector<ApiGroup> groups = api_groups(registry_);
  ordered_json index = {{"paths", ordered_json::object()}};
  for (const ApiGroup& group : groups) {
    for (const ApiVersion& version : group.versions) {
      std::string text = v3_document(registry_.schemas(), group, version);
      if (text.empty()) continue;
      const std::string path = (group.name.empty() ? "api/" : "apis/") + group.group_version(version);
      const std::string hash = content_hash(text);
      index["paths"][path] = {{"serverRelativeURL", std::string(kIndex) + "/" + path + "?hash=" + hash}};
      made->v3[path] = {std::move(text), hash};
    }
  }
  made->v3_index = index.dump();
  made->v2_protobuf = gnostic_v2(v2_document(registry_.schemas(), groups));
  return made;
}

/// Made by one thread, while the others wait.
std::shared_ptr<const OpenApi::Documents> OpenApi::present_documents() {
  const std::scoped_lock lock(mutex_);
  if (documents_ == nullptr || documents_->generation != registry_.generation()) documents_ = make_documents();
  return documents_;
}

std::optional<Response> OpenApi::answer(const Request& request) {
  if (!request.path.starts_with("/openapi/v")) return std::nullopt;
  const std::shared_ptr<const Documents> documents = present_documents();
  if (request.path == "/openapi/v2" || request.path == "/openapi/v2/") return answer_v2(request, *documents);
  if (request.path == kIndex || request.path == "/openapi/v3/") {
    Response response = answer_json(200, documents->v3_index);
    settle_etag(request, response);
    return response;
  }
  if (!request.path.starts_with(std::string(kIndex) + "/")) return std::nullopt;
  const auto found = documents->v3.find(request.path.substr(kIndex.size() + 1));
  if (found == documents->v3.end()) return std::nullopt;
  return answer_v3(request, found->second);
}

Response OpenApi::answer_v3(const Request& request, const Document& document) {
  const std::string hash = request.parameter("hash");
  if (!hash.empty() && hash != document.hash) {
    Response moved{301, "", "", {}};
    moved.headers.emplace_back("Location", request.path + "?hash=" + document.hash);
    return moved;
  }
  Response response = answer_json(200, document.text);
  // What is named by its hash never changes.
  if (!hash.empty()) response.headers.emplace_back("Cache-Control", "public, immutable, max-age=31536000");
  response.headers.emplace_back("Vary", "Accept");
  settle_etag(request, response);
  return response;
}

Response OpenApi::answer_v2(const Request& request, const Documents& documents) const {
  Response response;
  if (wants_protobuf(request.accept)) {
    response = {200, kV2Protobuf, documents.v2_protobuf, {}};
  } else {
    response = answer_json(200, v2_document(registry_.schemas(), api_groups(registry_)).dump());
  }
  response.headers.emplace_back("Vary", "Accept");
  settle_etag(request, response);
  return response;
}

}  // namespace usbloop::apiserver
