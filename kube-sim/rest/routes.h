#pragma once

#include <optional>

#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// Which verbs a path has, as the real servers install their routes. The answer to a request that has no route, nothing
/// when it has one; `resource` null: the group does not serve it.
///
/// Built-in kinds (kube-apiserver, a router of path and method): of a namespaced kind the path without a namespace is
/// there for reading a collection only, other methods get 405; a path of the wrong scope is none, 404.
/// Custom kinds (apiextensions-apiserver, which looks at the verb): a request of the wrong scope gets 404, except list
/// and watch; what needs a name and has none gets 400.
std::optional<Response> refuse_route(const Resource* resource, const Request& request, const RequestInfo& info);

}  // namespace usbloop::apiserver
