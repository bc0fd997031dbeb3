#pragma once

#include <string>
#include <vector>

#include "kube-sim/resources/registry.h"

// What the server serves, group by group: the kinds of the registry and what is no stored object. Discovery and the
// OpenAPI documents tell it in their own forms.
namespace usbloop::apiserver {

struct ApiSubresource {
  std::string name;  ///< "status"
  std::string kind;  ///< of what is read and written there, in the same group version; empty: none is said
  std::vector<std::string> verbs;
  std::string group_version = {};  ///< of the kind, when it is another one: "autoscaling/v1"
};

struct ApiResource {
  std::string plural;
  std::string singular;
  std::string kind;
  bool namespaced = true;
  std::vector<std::string> verbs;
  std::vector<std::string> short_names = {};
  std::vector<std::string> categories = {};
  std::vector<ApiSubresource> subresources = {};
  bool stored = false;           ///< kept by the store, so that it has a storage version
  bool listed = true;            ///< false: only its subresources are served
  ResourcePtr custom = nullptr;  ///< the kind, when a user's definition made it
};

struct ApiVersion {
  std::string version;
  std::vector<ApiResource> resources;
};

struct ApiGroup {
  std::string name;                  ///< empty: core
  std::vector<ApiVersion> versions;  ///< the preferred one first

  /// "v1", "kubevirt.io/v1"
  [[nodiscard]] std::string group_version(const ApiVersion& version) const;
};

/// The core group first, then the others by name.
std::vector<ApiGroup> api_groups(const Registry& registry);

}  // namespace usbloop::apiserver
