#pragma once

#include <string>

#include "kube-sim/request/http_types.h"

namespace usbloop::apiserver {

/// What a request is about, in the terms of authorization. As Kubernetes' RequestInfo.
struct RequestInfo {
  bool is_resource = false;  ///< under /api/v1/… or /apis/GROUP/VERSION/…, naming a resource
  std::string verb;          ///< get, list, watch, create, update, patch, delete, deletecollection; else the method
  std::string path;
  std::string group;
  std::string version;
  std::string namespace_;
  std::string resource;
  std::string name;
  std::string subresource;  ///< all that follows the name
};

RequestInfo read_request_info(const Request& request);

}  // namespace usbloop::apiserver
