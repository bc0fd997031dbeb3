#include "kube-sim/documents/aggregated_discovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "kube-sim/objects/answer.h"
#include "kube-sim/request/content_hash.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::ordered_json;

constexpr const char* kGroup = "apidiscovery.k8s.io";

std::string without_spaces(std::string_view text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result), [](char c) { return c != ' ' && c != '\t'; });
  return result;
}

/// Whether the parameters of a media range hold this one.
bool has_parameter(const std::string& range, const std::string& parameter) {
  return (range + ";").find(";" + parameter + ";") != std::string::npos;
}

/// Clients of Kubernetes 1.26 fall over an entry without a responseKind, so one that names no kind has an empty one.
ordered_json response_kind(const ApiGroup& group, const ApiVersion& version, const std::string& kind) {
  if (kind.empty()) return {{"group", ""}, {"version", ""}, {"kind", ""}};
  return {{"group", group.name}, {"version", version.version}, {"kind", kind}};
}

ordered_json subresource_entry(const ApiGroup& group, const ApiVersion& version, const ApiSubresource& subresource) {
  ordered_json kind = response_kind(group, version, subresource.kind);
  if (const auto slash = subresource.group_version.find('/'); slash != std::string::npos) {
    kind["group"] = subresource.group_version.substr(0, slash);
    kind["version"] = subresource.group_version.substr(slash + 1);
  }
  ordered_json entry = {{"subresource", subresource.name}, {"responseKind", kind}, {"verbs", subresource.verbs}};
  if (subresource.verbs.empty()) entry["verbs"] = nullptr;
  return entry;
}

ordered_json resource_entry(const ApiGroup& group, const ApiVersion& version, const ApiResource& resource) {
  ordered_json entry = {{"resource", resource.plural},
                        {"responseKind", response_kind(group, version, resource.kind)},
                        {"scope", resource.namespaced ? "Namespaced" : "Cluster"},
                        {"singularResource", resource.singular},
                        {"verbs", resource.verbs}};
  if (resource.verbs.empty()) entry["verbs"] = nullptr;
  if (!resource.short_names.empty()) entry["shortNames"] = resource.short_names;
  if (!resource.categories.empty()) entry["categories"] = resource.categories;
  for (const ApiSubresource& subresource : resource.subresources) {
    entry["subresources"].push_back(subresource_entry(group, version, subresource));
  }
  return entry;
}

ordered_json group_entry(const ApiGroup& group) {
  ordered_json versions = ordered_json::array();
  for (const ApiVersion& version : group.versions) {
    ordered_json resources = ordered_json::array();
    for (const ApiResource& resource : version.resources) {
      resources.push_back(resource_entry(group, version, resource));
    }
    versions.push_back({{"version", version.version}, {"resources", resources}, {"freshness", "Current"}});
  }
  ordered_json metadata = {{"creationTimestamp", nullptr}};
  if (!group.name.empty()) metadata["name"] = group.name;
  return {{"metadata", metadata}, {"versions", versions}};
}

}  // namespace

std::string wanted_aggregation(const std::string& accept) {
  std::string rest = without_spaces(accept);
  while (!rest.empty()) {
    const std::string range = rest.substr(0, rest.find(','));
    rest.erase(0, range.size() + 1);
    const std::string type = range.substr(0, range.find(';'));
    if (type == "*/*" || (type == "application/json" && range.find(";as=") == std::string::npos)) return {};
    if (type != "application/json" || !has_parameter(range, "as=APIGroupDiscoveryList") ||
        !has_parameter(range, std::string("g=") + kGroup)) {
      continue;
    }
    for (const char* version : {"v2", "v2beta1"}) {
      if (has_parameter(range, std::string("v=") + version)) return version;
    }
  }
  return {};
}

Response answer_aggregated(const std::vector<ApiGroup>& groups, bool core, const std::string& version,
                           const Request& request) {
  ordered_json items = ordered_json::array();
  for (const ApiGroup& group : groups) {
    if (group.name.empty() == core) items.push_back(group_entry(group));
  }
  const ordered_json document = {{"kind", "APIGroupDiscoveryList"},
                                 {"apiVersion", std::string(kGroup) + "/" + version},
                                 {"metadata", ordered_json::object()},
                                 {"items", items}};
  Response response = answer_json(200, document.dump());
  response.content_type = std::string("application/json;g=") + kGroup + ";v=" + version + ";as=APIGroupDiscoveryList";
  response.headers.emplace_back("Vary", "Accept");
  settle_etag(request, response);
  return response;
}

}  // namespace usbloop::apiserver
