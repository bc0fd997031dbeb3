#pragma once

#include <map>
#include <string>

#include "kube-sim/observe/request_observer.h"
#include "kube-sim/resources/registry.h"

namespace usbloop::apiserver {

/// How kube-apiserver labels a request in its metrics: verb (GET, LIST, WATCH, POST, PUT, PATCH, APPLY, DELETE,
/// DELETECOLLECTION, CONNECT), group, version, resource, subresource, scope (resource, namespace, cluster), dry_run,
/// component. Whatever a client makes up becomes an empty label or "other": the number of series is bounded.
std::map<std::string, std::string> request_labels(const Registry& registry, const RequestEvent& event);

/// Whether the request changes something, as the limits of kube-apiserver count requests.
bool is_mutating(const RequestEvent& event);

}  // namespace usbloop::apiserver
