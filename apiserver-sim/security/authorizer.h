#pragma once

#include <memory>
#include <string>

#include "apiserver-sim/api/http_types.h"
#include "apiserver-sim/api/request_info.h"
#include "common/kube/status.h"

namespace usbloop::apiserver {

/// What somebody wants to do, in the terms of authorization.
struct Attributes {
  bool is_resource = false;
  std::string verb;
  std::string path;  ///< of requests that are about no resource
  std::string group;
  std::string resource;
  std::string subresource;
  std::string namespace_;
  std::string name;
};

Attributes attributes_of(const RequestInfo& info);

/// Decides who may do what. Thread-safe.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  [[nodiscard]] virtual bool allows(const User& user, const Attributes& attributes) const = 0;
};

/// The fixed rules of a bare cluster: system:masters may do everything, system:nodes what a node's controller needs,
/// any authenticated user may read discovery and review itself, and everybody the health and the version.
std::unique_ptr<Authorizer> make_group_authorizer();

/// The refusal in kube-apiserver's words: `nodes "x" is forbidden: User "u" cannot get resource "nodes" in …`.
kube::Status forbidden_status(const User& user, const Attributes& attributes);

}  // namespace usbloop::apiserver
