#include "kube-sim/request/request_info.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "common/ascii_text.h"

namespace usbloop::apiserver {
namespace {

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
    if (!segment.empty()) segments.emplace_back(segment);
  }
  return segments;
}

std::string verb_of(const Request& request, bool names_object) {
  const std::string& method = request.method;
  if (method == "GET" || method == "HEAD") {
    if (names_object) return "get";  // also with `watch`: one object is watched as a collection with a selector
    return request.flag("watch") ? "watch" : "list";
  }
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return names_object ? "delete" : "deletecollection";
  return lower_case(method);
}

/// The one name that a field selector asks for: lists and watches of one object are authorized by its name.
std::string selected_name(std::string_view selector) {
  constexpr std::string_view kField = "metadata.name=";
  while (!selector.empty()) {
    std::string_view requirement = selector.substr(0, selector.find(','));
    selector.remove_prefix(std::min(requirement.size() + 1, selector.size()));
    if (!requirement.starts_with(kField)) continue;
    requirement.remove_prefix(kField.size());
    if (requirement.starts_with('=')) requirement.remove_prefix(1);
    return requirement.find('/') == std::string_view::npos ? std::string(requirement) : std::string();
  }
  return {};
}

/// Takes group and version from the front; the index of the first segment behind them, or 0 when it is no API path.
std::size_t read_group_version(const std::vector<std::string>& segments, RequestInfo& info) {
  if (segments.size() > 2 && segments[0] == "api") {
    info.version = segments[1];
    return 2;
  }
  if (segments.size() > 3 && segments[0] == "apis") {
    info.group = segments[1];
    info.version = segments[2];
    return 3;
  }
  return 0;
}

}  // namespace

RequestInfo read_request_info(const Request& request) {
  RequestInfo info;
  info.path = request.path;
  info.verb = lower_case(request.method);
  const std::vector<std::string> segments = split_path(request.path);
  std::size_t at = read_group_version(segments, info);
  if (at == 0) return info;
  info.is_resource = true;
  // "namespaces/NS/RESOURCE…" names a namespaced resource, "namespaces/NS" and its subresources the namespace itself.
  const bool subresource_of_namespace =
      segments.size() > at + 2 && (segments[at + 2] == "status" || segments[at + 2] == "finalize");
  if (segments[at] == "namespaces" && segments.size() > at + 1) {
    info.namespace_ = segments[at + 1];
    if (segments.size() > at + 2 && !subresource_of_namespace) at += 2;
  }
  info.resource = segments[at];
  if (segments.size() > at + 1) info.name = segments[at + 1];
  for (std::size_t i = at + 2; i < segments.size(); ++i) {
    if (!info.subresource.empty()) info.subresource += '/';
    info.subresource += segments[i];
  }
  info.verb = verb_of(request, !info.name.empty());
  if (info.name.empty() && (info.verb == "list" || info.verb == "watch" || info.verb == "deletecollection")) {
    info.name = selected_name(request.parameter("fieldSelector"));
  }
  return info;
}

}  // namespace usbloop::apiserver
