#include "kube-sim/observe/request_labels.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {
namespace {

constexpr std::array<std::string_view, 3> kReviews = {"selfsubjectaccessreviews", "selfsubjectrulesreviews",
                                                      "selfsubjectreviews"};
constexpr std::array<std::string_view, 8> kSubresources = {"status",  "finalize", "scale", "eviction",
                                                           "binding", "log",      "token", "approval"};

template <typename List>
bool is_in(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_known(const Registry& registry, const RequestInfo& info) {
  if (!info.is_resource) return false;
  if (const AggregatedApi* api = registry.aggregated(info.group)) {
    return is_in(api->versions(), info.version) && api->knows(info.resource, {});
  }
  if (info.group == "authorization.k8s.io" || info.group == "authentication.k8s.io") {
    return (info.version == "v1" || info.version == "v1beta1") && is_in(kReviews, info.resource);
  }
  return registry.find(info.group, info.version, info.resource) != nullptr;
}

/// "portforward/22" is a portforward.
std::string subresource_label(const Registry& registry, const RequestInfo& info) {
  const std::string first = info.subresource.substr(0, info.subresource.find('/'));
  const AggregatedApi* api = registry.aggregated(info.group);
  const bool known = api != nullptr ? api->knows(info.resource, first) : is_in(kSubresources, first);
  return first.empty() || known ? first : "other";
}

std::string verb_label(const Registry& registry, const RequestEvent& event) {
  const std::string& verb = event.info.verb;
  if (event.long_running && registry.aggregated(event.info.group) != nullptr) return "CONNECT";
  if (verb == "patch") {
    return media_type(event.request.content_type) == "application/apply-patch+yaml" ? "APPLY" : "PATCH";
  }
  if (verb == "create" || verb == "post") return "POST";
  if (verb == "update" || verb == "put") return "PUT";
  if (verb == "get" || verb == "head") return "GET";
  if (verb == "list") return "LIST";
  if (verb == "watch") return "WATCH";
  if (verb == "delete") return "DELETE";
  if (verb == "deletecollection") return "DELETECOLLECTION";
  return verb == "options" ? "OPTIONS" : "other";
}

const char* scope_label(const RequestInfo& info) {
  if (!info.is_resource) return "";
  if (!info.name.empty()) return "resource";
  return info.namespace_.empty() ? "cluster" : "namespace";
}

}  // namespace

std::map<std::string, std::string> request_labels(const Registry& registry, const RequestEvent& event) {
  const RequestInfo& info = event.info;
  const bool known = is_known(registry, info);
  return {{"verb", verb_label(registry, event)},
          {"group", known ? info.group : ""},
          {"version", known ? info.version : ""},
          {"resource", known ? info.resource : ""},
          {"subresource", known ? subresource_label(registry, info) : ""},
          {"scope", scope_label(info)},
          {"dry_run", event.request.parameter("dryRun") == "All" ? "All" : ""},
          {"component", "apiserver"}};
}

bool is_mutating(const RequestEvent& event) {
  const std::string& method = event.request.method;
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

}  // namespace usbloop::apiserver
