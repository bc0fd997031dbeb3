#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/objects/admission.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/resources/resource.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

using Outcome = tl::expected<ObjectPtr, kube::Status>;

/// The finalizers by which an object that is being deleted waits for the garbage collector.
inline constexpr const char* kForegroundFinalizer = "foregroundDeletion";
inline constexpr const char* kOrphanFinalizer = "orphan";

/// What a deletion asks beside the name.
struct DeleteOptions {
  std::string uid = {};  ///< preconditions; empty: none
  std::string resource_version = {};
  bool dry_run = false;
  std::optional<std::int64_t> grace_period_seconds = std::nullopt;
  std::string propagation_policy = {};  ///< "Orphan", "Background", "Foreground" or empty
};

/// Under which name a write stands in metadata.managedFields, and who writes. The default is for the server's own
/// controllers.
struct WrittenBy {
  std::string manager = "kube-controller-manager";
  std::string api_version = {};  ///< of the request; empty: the stored one
  bool applied = false;          ///< the object carries its new managedFields already, see apply_configuration()
  User user = {};                ///< for the admission of new objects
};

/// Creates, changes and deletes objects by the rules of Kubernetes: the server's own metadata, optimistic locking,
/// finalizers, namespaces. Knows nothing of HTTP; the controllers use it as the REST handlers do. Thread-safe.
class ObjectWriter {
 public:
  /// `admission` judges what users write; null for the server's own controllers. Both must outlive the writer.
  explicit ObjectWriter(Store& store, const Admission* admission = nullptr) : store_(store), admission_(admission) {}

  /// `namespace_` is that of the request; the object's own must be the same or absent. A name made from generateName
  /// that is taken is made anew a few times.
  Outcome create(const Resource& resource, const std::string& namespace_, nlohmann::json object, bool dry_run,
                 const WrittenBy& by = {});

  /// Makes the new object from the current one; called while no one else writes.
  using Edit = std::function<tl::expected<nlohmann::json, kube::Status>(const nlohmann::json& current)>;
  struct UpdateOptions {
    bool status_only = false;
    bool dry_run = false;
    WrittenBy by = {};
    bool whole = false;     ///< status and all the rest at once: for the server's own controllers
    bool approval = false;  ///< with status_only: not the subresource status is written but approval
    bool patched = false;   ///< the object is the result of a patch, which is about this one whatever uid it gives
  };
  /// An object whose content does not change keeps its version. One that is being deleted goes with its last finalizer.
  Outcome update(const Resource& resource, const Key& key, const User& user, const UpdateOptions& options,
                 const Edit& edit);

  struct Deletion {
    ObjectPtr object;
    bool gone = false;  ///< false: marked, finalizers are waited for
  };
  tl::expected<Deletion, kube::Status> remove(const Resource& resource, const Key& key, const DeleteOptions& options);

 private:
  std::optional<kube::Status> refuse_namespace(const Resource& resource, const std::string& namespace_,
                                               const std::string& name) const;
  Outcome insert(const Resource& resource, nlohmann::json object, bool dry_run);
  static tl::expected<nlohmann::json, kube::Status> checked_update(const Resource& resource, const User& user,
                                                                   const UpdateOptions& options, nlohmann::json object,
                                                                   const nlohmann::json& current);
  /// The stored form of an object that a dry run does not store.
  static ObjectPtr preview(const Resource& resource, const Key& key, const nlohmann::json& object);

  Store& store_;
  const Admission* admission_;
};

}  // namespace usbloop::apiserver
