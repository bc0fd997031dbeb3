#include "kube-sim/documents/discovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/kube/versions.h"
#include "kube-sim/documents/aggregated_discovery.h"
#include "kube-sim/documents/api_groups.h"
#include "kube-sim/objects/answer.h"
#include "kube-sim/request/content_hash.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::ordered_json;

ordered_json version_document(const ApiGroup& group, const ApiVersion& version) {
  return {{"groupVersion", group.group_version(version)}, {"version", version.version}};
}

ordered_json group_document(const ApiGroup& group) {
  ordered_json versions = ordered_json::array();
  for (const ApiVersion& version : group.versions) versions.push_back(version_document(group, version));
  return {{"name", group.name},
          {"versions", versions},
          {"preferredVersion", version_document(group, group.versions.front())}};
}

/// What kube-apiserver lets a client tell by whether two versions of an API share their storage.
std::string storage_version_hash(const std::string& group, const std::string& version, const std::string& kind) {
  return base64_of_sha256(group + "/" + version + "/" + kind, 8);
}

ordered_json resource_entry(const ApiGroup& group, const ApiResource& resource) {
  ordered_json entry = {{"name", resource.plural},
                        {"singularName", resource.singular},
                        {"namespaced", resource.namespaced},
                        {"kind", resource.kind},
                        {"verbs", resource.verbs}};
  if (resource.verbs.empty()) entry["verbs"] = nullptr;
  if (!resource.short_names.empty()) entry["shortNames"] = resource.short_names;
  if (!resource.categories.empty()) entry["categories"] = resource.categories;
  if (resource.stored) {
    entry["storageVersionHash"] = storage_version_hash(group.name, group.versions.front().version, resource.kind);
  }
  return entry;
}

ordered_json subresource_entry(const ApiResource& resource, const ApiSubresource& subresource) {
  ordered_json entry = {
      {"name", resource.plural + "/" + subresource.name}, {"singularName", ""}, {"namespaced", resource.namespaced}};
  if (const auto slash = subresource.group_version.find('/'); slash != std::string::npos) {
    entry["group"] = subresource.group_version.substr(0, slash);
    entry["version"] = subresource.group_version.substr(slash + 1);
  }
  entry["kind"] = subresource.kind;
  entry["verbs"] = subresource.verbs;
  if (subresource.verbs.empty()) entry["verbs"] = nullptr;
  return entry;
}

ordered_json resource_list(const ApiGroup& group, const ApiVersion& version) {
  ordered_json resources = ordered_json::array();
  for (const ApiResource& resource : version.resources) {
    if (resource.listed) resources.push_back(resource_entry(group, resource));
    for (const ApiSubresource& subresource : resource.subresources) {
      resources.push_back(subresource_entry(resource, subresource));
    }
  }
  ordered_json list = {{"kind", "APIResourceList"}};
  // kube-apiserver's own lists of the core group have no version, for the sake of its first clients.
  if (!group.name.empty()) list["apiVersion"] = "v1";
  list["groupVersion"] = group.group_version(version);
  list["resources"] = resources;
  return list;
}

ordered_json group_list(const std::vector<ApiGroup>& groups) {
  ordered_json list = ordered_json::array();
  for (const ApiGroup& group : groups) {
    if (!group.name.empty()) list.push_back(group_document(group));
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", list}};
}

ordered_json one_group(const ApiGroup& group) {
  ordered_json document = {{"kind", "APIGroup"}, {"apiVersion", "v1"}};
  document.update(group_document(group));
  return document;
}

ordered_json core_versions() {
  return {{"kind", "APIVersions"},
          {"versions", {"v1"}},
          {"serverAddressByClientCIDRs", ordered_json::array({{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", ""}}})}};
}

ordered_json kubernetes_version() {
  // The commit says that this is no build of Kubernetes.
  return {{"major", kube::kKubernetesMajor},
          {"minor", kube::kKubernetesMinor},
          {"gitVersion", kube::kKubernetesVersion},
          {"gitCommit", "0000000000000000000000000000000000000000"},
          {"gitTreeState", "clean"},
          {"buildDate", "2026-03-01T00:00:00Z"},
          {"goVersion", "go1.25"},
          {"compiler", "gc"},
          {"platform", "linux/amd64"}};
}

/// The document at "GROUP" or "GROUP/VERSION".
std::optional<ordered_json> document_below_apis(const std::vector<ApiGroup>& groups, const std::string& path) {
  for (const ApiGroup& group : groups) {
    if (group.name.empty()) continue;
    if (path == group.name) return one_group(group);
    for (const ApiVersion& version : group.versions) {
      if (path == group.group_version(version)) return resource_list(group, version);
    }
  }
  return std::nullopt;
}

std::optional<ordered_json> legacy_document(const std::vector<ApiGroup>& groups, const std::string& path) {
  constexpr std::string_view kApis = "/apis/";
  if (path == "/api") return core_versions();
  if (path == "/apis") return group_list(groups);
  if (path == "/api/v1") return resource_list(groups.front(), groups.front().versions.front());
  if (path.starts_with(kApis)) return document_below_apis(groups, path.substr(kApis.size()));
  return std::nullopt;
}

}  // namespace

std::optional<Response> answer_discovery(const Registry& registry, const Request& request) {
  // The real router makes no difference here, and the Kubernetes client for Python asks for "/version/".
  const std::string path = request.path.ends_with('/') ? request.path.substr(0, request.path.size() - 1) : request.path;
  if (path == "/version") return answer_json(200, kubernetes_version().dump(2));
  if (!path.starts_with("/api")) return std::nullopt;
  const std::vector<ApiGroup> groups = api_groups(registry);
  if (path == "/api" || path == "/apis") {
    if (const std::string version = wanted_aggregation(request.accept); !version.empty()) {
      return answer_aggregated(groups, path == "/api", version, request);
    }
  }
  const auto document = legacy_document(groups, path);
  if (!document) return std::nullopt;
  Response response = answer_json(200, document->dump());
  if (path == "/api" || path == "/apis") response.headers.emplace_back("Vary", "Accept");
  return response;
}

}  // namespace usbloop::apiserver
