#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apiserver-sim/resources/resource.h"

namespace usbloop::apiserver {

/// All kinds of objects that the server keeps. Immutable once made.
class Registry {
 public:
  Registry();

  /// Null when the group does not serve the resource in that version.
  [[nodiscard]] const Resource* find(const std::string& group, const std::string& version,
                                     const std::string& plural) const;
  /// By the store's name ("nodes", "virtualmachineinstances.kubevirt.io"); null when unknown.
  [[nodiscard]] const Resource* find_qualified(const std::string& qualified) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Resource>>& all() const { return resources_; }

  /// For the store.
  [[nodiscard]] FieldReader field_reader() const;

 private:
  std::vector<std::unique_ptr<Resource>> resources_;
};

}  // namespace usbloop::apiserver
