#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// The account that pods of a namespace have unless they name another one.
inline constexpr const char* kDefaultServiceAccount = "default";
/// Where pods find the certificate of the server's CA: the key "ca.crt".
inline constexpr const char* kRootCaConfigMap = "kube-root-ca.crt";

/// Gives each namespace its service account and the certificate of the server's CA, and makes them again when they are
/// deleted or the certificate was changed, as two controllers of kube-controller-manager do. A namespace that is being
/// deleted gets nothing.
class NamespaceDefaults {
 public:
  /// `root_ca`: PEM.
  NamespaceDefaults(const Registry& registry, Store& store, WatchHub& hub, std::string root_ca);

 private:
  void observe(const Event& event);
  Next reconcile(const Key& key);
  /// Makes the object when it is missing, and writes its data when they are others.
  Next keep(const std::string& resource, const std::string& namespace_, const nlohmann::json& wanted);

  const Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  const std::string root_ca_;
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
