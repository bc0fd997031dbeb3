#include "apiserver-sim/metrics/request_labels.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "apiserver-sim/api/codec.h"

namespace usbloop::apiserver {
namespace {

constexpr std::array<std::string_view, 3> kReviews = {"selfsubjectaccessreviews", "selfsubjectrulesreviews",
                                                      "selfsubjectreviews"};
constexpr std::array<std::string_view, 24> kSubresources = {
    "status",     "finalize",    "scale",       "eviction",       "binding", "log",    "token",    "usbredir",
    "console",    "vnc",         "portforward", "pause",          "unpause", "freeze", "unfreeze", "reset",
    "softreboot", "guestosinfo", "userlist",    "filesystemlist", "start",   "stop",   "restart",  "migrate"};

template <typename List>
bool is_in(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_known(const Registry& registry, const RequestInfo& info) {
  if (!info.is_resource) return false;
  if (info.group == "subresources.kubevirt.io") {
    const bool version = info.version == "v1" || info.version == "v1alpha3";
    return version && (info.resource == "virtualmachineinstances" || info.resource == "virtualmachines");
  }
  if (info.group == "authorization.k8s.io" || info.group == "authentication.k8s.io") {
    return (info.version == "v1" || info.version == "v1beta1") && is_in(kReviews, info.resource);
  }
  return registry.find(info.group, info.version, info.resource) != nullptr;
}

/// "portforward/22" is a portforward.
std::string subresource_label(const std::string& subresource) {
  const std::string first = subresource.substr(0, subresource.find('/'));
  return first.empty() || is_in(kSubresources, first) ? first : "other";
}

std::string verb_label(const RequestEvent& event) {
  const std::string& verb = event.info.verb;
  if (event.info.group == "subresources.kubevirt.io" && event.long_running) return "CONNECT";
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
  return {{"verb", verb_label(event)},
          {"group", known ? info.group : ""},
          {"version", known ? info.version : ""},
          {"resource", known ? info.resource : ""},
          {"subresource", known ? subresource_label(info.subresource) : ""},
          {"scope", scope_label(info)},
          {"dry_run", event.request.parameter("dryRun") == "All" ? "All" : ""},
          {"component", "apiserver"}};
}

bool is_mutating(const RequestEvent& event) {
  const std::string& method = event.request.method;
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

}  // namespace usbloop::apiserver
