#include "apiserver-sim/api/discovery.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace usbloop::apiserver {
namespace {

using nlohmann::ordered_json;

/// The versions of each group, preferred first.
std::map<std::string, std::vector<std::string>> groups_of(const Registry& registry) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& resource : registry.all()) {
    const ResourceInfo& info = resource->info();
    auto& versions = groups[info.group];
    const auto add = [&](const std::string& version) {
      if (std::find(versions.begin(), versions.end(), version) == versions.end()) versions.push_back(version);
    };
    add(info.version);
    for (const std::string& version : info.other_versions) add(version);
  }
  groups["authorization.k8s.io"] = {"v1"};
  groups["authentication.k8s.io"] = {"v1", "v1beta1"};
  groups["subresources.kubevirt.io"] = {"v1", "v1alpha3"};
  return groups;
}

ordered_json group_version(const std::string& group, const std::string& version) {
  return {{"groupVersion", group + "/" + version}, {"version", version}};
}

ordered_json group_document(const std::string& group, const std::vector<std::string>& versions) {
  ordered_json list = ordered_json::array();
  for (const std::string& version : versions) list.push_back(group_version(group, version));
  return {{"name", group}, {"versions", list}, {"preferredVersion", group_version(group, versions.front())}};
}

ordered_json object_entry(const ResourceInfo& info) {
  ordered_json entry = {{"name", info.plural},
                        {"singularName", info.singular},
                        {"namespaced", info.namespaced},
                        {"kind", info.kind},
                        {"verbs", {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}}};
  if (!info.short_names.empty()) entry["shortNames"] = info.short_names;
  if (!info.categories.empty()) entry["categories"] = info.categories;
  return entry;
}

ordered_json status_entry(const ResourceInfo& info) {
  return {{"name", info.plural + "/status"},
          {"singularName", ""},
          {"namespaced", info.namespaced},
          {"kind", info.kind},
          {"verbs", {"get", "patch", "update"}}};
}

ordered_json review_entry(const char* name, const char* kind) {
  return {{"name", name}, {"singularName", ""}, {"namespaced", false}, {"kind", kind}, {"verbs", {"create"}}};
}

/// The resources of a group version that are no stored objects.
void add_virtual_resources(const std::string& group, ordered_json& resources) {
  if (group == "authorization.k8s.io") {
    resources.push_back(review_entry("selfsubjectaccessreviews", "SelfSubjectAccessReview"));
    resources.push_back(review_entry("selfsubjectrulesreviews", "SelfSubjectRulesReview"));
  } else if (group == "authentication.k8s.io") {
    resources.push_back(review_entry("selfsubjectreviews", "SelfSubjectReview"));
  } else if (group == "subresources.kubevirt.io") {
    // As KubeVirt lists its subresources: a name, neither kind nor verbs.
    resources.push_back({{"name", "virtualmachineinstances/usbredir"},
                         {"singularName", ""},
                         {"namespaced", true},
                         {"kind", ""},
                         {"verbs", nullptr}});
  }
}

std::optional<std::string> resource_list(const Registry& registry, const std::string& group,
                                         const std::string& version) {
  const auto groups = groups_of(registry);
  const auto found = groups.find(group);
  if (found == groups.end() || std::find(found->second.begin(), found->second.end(), version) == found->second.end()) {
    return std::nullopt;
  }
  ordered_json resources = ordered_json::array();
  for (const auto& resource : registry.all()) {
    const ResourceInfo& info = resource->info();
    if (registry.find(group, version, info.plural) != resource.get()) continue;
    resources.push_back(object_entry(info));
    if (info.has_status) resources.push_back(status_entry(info));
  }
  add_virtual_resources(group, resources);
  return ordered_json{{"kind", "APIResourceList"},
                      {"apiVersion", "v1"},
                      {"groupVersion", group.empty() ? version : group + "/" + version},
                      {"resources", resources}}
      .dump();
}

std::string group_list(const Registry& registry) {
  ordered_json list = ordered_json::array();
  for (const auto& [group, versions] : groups_of(registry)) {
    if (!group.empty()) list.push_back(group_document(group, versions));
  }
  return ordered_json{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", list}}.dump();
}

std::optional<std::string> one_group(const Registry& registry, const std::string& group) {
  const auto groups = groups_of(registry);
  const auto found = groups.find(group);
  if (found == groups.end() || group.empty()) return std::nullopt;
  ordered_json document = {{"kind", "APIGroup"}, {"apiVersion", "v1"}};
  document.update(group_document(group, found->second));
  return document.dump();
}

std::string kubernetes_version() {
  return ordered_json{{"major", "1"},
                      {"minor", "32"},
                      {"gitVersion", kKubernetesVersion},
                      {"gitCommit", "59526cd4867447956156ae3a602fcbac10a2c335"},
                      {"gitTreeState", "clean"},
                      {"buildDate", "2025-04-22T16:02:27Z"},
                      {"goVersion", "go1.23.6"},
                      {"compiler", "gc"},
                      {"platform", "linux/amd64"}}
      .dump();
}

std::string kubevirt_version() {
  return ordered_json{{"gitVersion", kKubeVirtVersion}, {"gitCommit", "0000000000000000000000000000000000000000"},
                      {"gitTreeState", "clean"},        {"buildDate", "2026-03-01T00:00:00Z"},
                      {"goVersion", "go1.24"},          {"compiler", "gc"},
                      {"platform", "linux/amd64"}}
      .dump();
}

}  // namespace

std::optional<std::string> discovery_document(const Registry& registry, const std::string& path) {
  if (path == "/version") return kubernetes_version();
  if (path == "/api") return ordered_json{{"kind", "APIVersions"}, {"versions", {"v1"}}}.dump();
  if (path == "/apis") return group_list(registry);
  if (path == "/api/v1") return resource_list(registry, "", "v1");
  constexpr std::string_view kApis = "/apis/";
  if (!path.starts_with(kApis)) return std::nullopt;
  const std::string rest = path.substr(kApis.size());
  if (rest == "subresources.kubevirt.io/v1/version" || rest == "subresources.kubevirt.io/v1alpha3/version") {
    return kubevirt_version();
  }
  const auto slash = rest.find('/');
  if (slash == std::string::npos) return one_group(registry, rest);
  if (rest.find('/', slash + 1) != std::string::npos) return std::nullopt;
  return resource_list(registry, rest.substr(0, slash), rest.substr(slash + 1));
}

}  // namespace usbloop::apiserver
