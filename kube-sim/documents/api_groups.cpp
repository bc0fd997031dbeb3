#include "kube-sim/documents/api_groups.h"

#include <algorithm>

namespace usbloop::apiserver {
namespace {

ApiGroup& group_named(std::vector<ApiGroup>& groups, const std::string& name) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.name == name; });
  return found == groups.end() ? groups.emplace_back(ApiGroup{name, {}}) : *found;
}

ApiVersion& version_named(ApiGroup& group, const std::string& version) {
  const auto same = [&](const auto& other) { return other.version == version; };
  const auto found = std::find_if(group.versions.begin(), group.versions.end(), same);
  return found == group.versions.end() ? group.versions.emplace_back(ApiVersion{version, {}}) : *found;
}

/// In the order in which kube-apiserver names them: by the alphabet, for custom resources by its code.
std::vector<std::string> verbs_of(const ResourceInfo& info) {
  if (!info.strategic_merge) return {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
  if (info.plural == "namespaces") return {"create", "delete", "get", "list", "patch", "update", "watch"};
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

/// By the alphabet.
std::vector<ApiSubresource> subresources_of(const ResourceInfo& info) {
  std::vector<ApiSubresource> all;
  if (info.has_approval) all.push_back({"approval", info.kind, {"get", "patch", "update"}});
  if (info.plural == "pods" && info.group.empty()) all.push_back({"eviction", "Eviction", {"create"}, "policy/v1"});
  if (info.scale) all.push_back({"scale", "Scale", {"get", "patch", "update"}, "autoscaling/v1"});
  if (info.has_status) all.push_back({"status", info.kind, {"get", "patch", "update"}});
  if (info.answers_token) all.push_back({"token", "TokenRequest", {"create"}, "authentication.k8s.io/v1"});
  return all;
}

ApiResource stored_resource(const ResourcePtr& kind) {
  const ResourceInfo& info = kind->info();
  ApiResource resource{.plural = info.plural,
                       .singular = info.singular,
                       .kind = info.kind,
                       .namespaced = info.namespaced,
                       .verbs = verbs_of(info),
                       .short_names = info.short_names,
                       .categories = info.categories,
                       .stored = true};
  resource.subresources = subresources_of(info);
  if (kind->openapi(info.version) != nullptr) resource.custom = kind;
  return resource;
}

/// What can only be created, and is answered instead of kept.
ApiResource review(const std::string& singular, const std::string& kind, bool namespaced = false) {
  return {.plural = singular + "s", .singular = singular, .kind = kind, .namespaced = namespaced, .verbs = {"create"}};
}

void add_reviews(std::vector<ApiGroup>& groups) {
  auto& authorization = version_named(group_named(groups, "authorization.k8s.io"), "v1").resources;
  authorization.push_back(review("localsubjectaccessreview", "LocalSubjectAccessReview", true));
  authorization.push_back(review("selfsubjectaccessreview", "SelfSubjectAccessReview"));
  authorization.push_back(review("selfsubjectrulesreview", "SelfSubjectRulesReview"));
  authorization.push_back(review("subjectaccessreview", "SubjectAccessReview"));
  ApiGroup& authentication = group_named(groups, "authentication.k8s.io");
  for (const char* version : {"v1", "v1beta1"}) {
    version_named(authentication, version).resources.push_back(review("selfsubjectreview", "SelfSubjectReview"));
  }
}

/// An aggregated API lists names, neither kinds nor verbs (as KubeVirt's does).
void add_aggregated(ApiGroup& group, const AggregatedApi& api) {
  for (const std::string& version : api.versions()) {
    auto& resources = version_named(group, version).resources;
    for (const std::string& name : api.listed()) {
      const std::string parent = name.substr(0, name.find('/'));
      const auto same = [&](const auto& other) { return other.plural == parent; };
      auto found = std::find_if(resources.begin(), resources.end(), same);
      const bool is_subresource = parent.size() < name.size();
      if (found == resources.end()) {
        resources.push_back({.plural = parent, .singular = "", .kind = "", .verbs = {}, .listed = !is_subresource});
        found = std::prev(resources.end());
      }
      if (is_subresource) found->subresources.push_back({name.substr(parent.size() + 1), "", {}});
    }
  }
}

}  // namespace

std::string ApiGroup::group_version(const ApiVersion& version) const {
  return name.empty() ? version.version : name + "/" + version.version;
}

std::vector<ApiGroup> api_groups(const Registry& registry) {
  std::vector<ApiGroup> groups;
  for (const auto& resource : registry.all()) {
    const ResourceInfo& info = resource->info();
    ApiGroup& group = group_named(groups, info.group);
    if (info.served) version_named(group, info.version).resources.push_back(stored_resource(resource));
    for (const std::string& version : info.other_versions) {
      version_named(group, version).resources.push_back(stored_resource(resource));
    }
  }
  add_reviews(groups);
  for (const auto& api : registry.all_aggregated()) add_aggregated(group_named(groups, api->group()), *api);
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (ApiGroup& group : groups) {
    for (ApiVersion& version : group.versions) {
      std::sort(version.resources.begin(), version.resources.end(),
                [](const auto& a, const auto& b) { return a.plural < b.plural; });
    }
  }
  return groups;
}

}  // namespace usbloop::apiserver
