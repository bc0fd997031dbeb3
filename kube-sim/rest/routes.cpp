#include "kube-sim/rest/routes.h"

#include <cstddef>
#include <string_view>

#include "kube-sim/objects/answer.h"
#include "kube-sim/resources/namespace.h"

namespace usbloop::apiserver {
namespace {

Response no_such_page() { return {404, "text/plain; charset=utf-8", "404 page not found\n", {}}; }

/// kube-apiserver's 404 below a group version that it serves itself.
Response no_such_resource() {
  kube::Status status;
  status.code = 404;
  status.reason = "NotFound";
  status.message = "the server could not find the requested resource";
  return answer_status(status);
}

bool is_collection_read(const RequestInfo& info) {
  return info.subresource.empty() && (info.verb == "list" || info.verb == "watch");
}

bool is_namespace(const ResourceInfo& kind) { return kind.plural == kNamespaceResource && kind.group.empty(); }

std::size_t segments_in(std::string_view path) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '/' && (i == 0 || path[i - 1] == '/')) ++count;
  }
  return count;
}

bool is_pod(const ResourceInfo& kind) { return kind.plural == "pods" && kind.group.empty(); }

/// Read and written, such as the status.
bool is_part(const ResourceInfo& kind, const std::string& subresource) {
  return (subresource == "status" && kind.has_status) || (subresource == "scale" && kind.scale.has_value()) ||
         (subresource == "approval" && kind.has_approval);
}

/// Only created.
bool is_action(const ResourceInfo& kind, const std::string& subresource) {
  return (subresource == "token" && kind.answers_token) || (subresource == "eviction" && is_pod(kind));
}

/// By the shape of the path alone, before any method is looked at.
bool has_built_in_path(const ResourceInfo& kind, const RequestInfo& info, bool names_object) {
  if (!info.subresource.empty() && !is_part(kind, info.subresource) && !is_action(kind, info.subresource)) return false;
  // /api/v1/namespaces/NAME: its own name is read as the namespace that it is in.
  if (is_namespace(kind) && names_object) return segments_in(info.path) == (info.subresource.empty() ? 4 : 5);
  if (!kind.namespaced) return info.namespace_.empty();
  return !info.namespace_.empty() || !names_object;
}

std::optional<Response> refuse_built_in(const ResourceInfo& kind, const Request& request, const RequestInfo& info,
                                        bool names_object) {
  if (!has_built_in_path(kind, info, names_object)) return no_such_resource();
  const std::string& method = request.method;
  bool allowed = method == "GET";
  if (is_action(kind, info.subresource)) {
    allowed = method == "POST";
  } else if (!info.subresource.empty()) {
    allowed |= method == "PUT" || method == "PATCH";
  } else if (names_object) {
    allowed |= method == "PUT" || method == "PATCH" || method == "DELETE";
  } else if (!kind.namespaced || !info.namespace_.empty()) {
    // A namespace is the end of all that is in it: they go one by one.
    allowed |= method == "POST" || (method == "DELETE" && !is_namespace(kind));
  }
  if (allowed) return std::nullopt;
  return answer_status(kube::method_not_allowed());
}

std::optional<Response> refuse_custom(const ResourceInfo& kind, const RequestInfo& info, bool names_object) {
  if (!kind.namespaced && !info.namespace_.empty()) return no_such_page();
  if (kind.namespaced && info.namespace_.empty() && !is_collection_read(info)) return no_such_page();
  const std::string& verb = info.verb;
  const bool reads_or_changes = verb == "get" || verb == "update" || verb == "patch";
  if (!info.subresource.empty()) {
    if (!is_part(kind, info.subresource)) {
      return answer_status(kube::not_found(kind.group, kind.plural, info.name));
    }
    if (reads_or_changes) return std::nullopt;
    return answer_status(kube::method_not_allowed());
  }
  if (reads_or_changes && !names_object) return answer_status(kube::bad_request("name must be provided"));
  const bool allowed = reads_or_changes || verb == "list" || verb == "watch" || verb == "delete" ||
                       verb == "deletecollection" || (verb == "create" && !names_object);
  if (allowed) return std::nullopt;
  return answer_status(kube::method_not_allowed());
}

/// Whether the path ends with an object's name. Not what the verb is for: list and watch take a name from a selector.
bool path_names_object(const RequestInfo& info) {
  if (info.name.empty()) return false;
  return info.verb != "list" && info.verb != "watch" && info.verb != "deletecollection";
}

}  // namespace

std::optional<Response> refuse_route(const Resource* resource, const Request& request, const RequestInfo& info) {
  if (resource == nullptr) return no_such_page();
  const ResourceInfo& kind = resource->info();
  // Strategic merge patches are what built-in kinds alone take.
  if (kind.strategic_merge) return refuse_built_in(kind, request, info, path_names_object(info));
  return refuse_custom(kind, info, path_names_object(info));
}

}  // namespace usbloop::apiserver
