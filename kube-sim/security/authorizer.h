#pragma once

#include <string>

#include "common/kube/status.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"

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

/// Whether somebody may, and why: `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`. The reason
/// may be empty.
struct Decision {
  bool allowed = false;
  std::string reason = {};
};

/// Decides who may do what. Thread-safe.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  [[nodiscard]] virtual Decision authorize(const User& user, const Attributes& attributes) const = 0;
  [[nodiscard]] bool allows(const User& user, const Attributes& attributes) const {
    return authorize(user, attributes).allowed;
  }
};

/// The group whose members may do everything, whatever the roles say.
inline constexpr const char* kMastersGroup = "system:masters";

/// The refusal in kube-apiserver's words: `nodes "x" is forbidden: User "u" cannot get resource "nodes" in …`, with the
/// reason behind it when there is one.
kube::Status forbidden_status(const User& user, const Attributes& attributes, const std::string& reason = {});

}  // namespace usbloop::apiserver
