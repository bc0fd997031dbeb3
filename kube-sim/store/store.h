#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <shared_mutex>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/kube/status.h"
#include "kube-sim/store/journal.h"
#include "kube-sim/store/object.h"
#include "kube-sim/store/page.h"
#include "kube-sim/store/watch_hub.h"

namespace usbloop::apiserver {

/// What a writer decided for one object.
struct Change {
  enum class Kind {
    keep,   ///< nothing changes; no new version
    put,    ///< create or replace; metadata.resourceVersion is set by the store
    remove  ///< the object goes; `object` is its last state
  };
  Kind kind = Kind::keep;
  nlohmann::json object;
};

/// All objects, in memory, with every write put into the journal before it is acknowledged. One writer at a time,
/// readers beside it. resourceVersion counts the writes of all resources and never goes back. Thread-safe.
class Store {
 public:
  /// What open() does about objects whose stored text cannot be read. Only a person may decide to go on without them:
  /// their dependents would be collected as garbage, and a node ends guests that the API no longer knows.
  enum class Unreadable { refuse, set_aside };

  /// Loads what the journal holds. `hub` must outlive the store. ErrorKind::invalid names the objects that cannot be
  /// read. A write of the history that cannot be read only shortens the history.
  static Result<std::unique_ptr<Store>> open(std::unique_ptr<Journal> journal, FieldReader reader, WatchHub& hub,
                                             Unreadable unreadable = Unreadable::refuse);

  /// Null when there is none.
  [[nodiscard]] ObjectPtr get(const Key& key) const;

  struct Listing {
    std::vector<ObjectPtr> objects;  ///< by namespace and name
    std::uint64_t version = 0;
  };
  /// `namespace_` empty: all namespaces.
  [[nodiscard]] Listing list(const std::string& resource, const std::string& namespace_) const;
  /// A part of a list, in the present state or in a past one that the hub's history still reaches.
  [[nodiscard]] Page page(const PageRequest& request) const;
  [[nodiscard]] std::uint64_t version() const;
  /// Whether writes can be kept: the last one was, or one that is tried now is.
  [[nodiscard]] Result<> check();

  /// Decides about one object while no one else writes. `current` is null when the object does not exist. `decide`
  /// must not call the store's writing functions.
  using Decide = std::function<tl::expected<Change, kube::Status>(const ObjectPtr& current)>;
  /// Answers the object as it is after the change; for `remove`, its last state with the version of the removal.
  tl::expected<ObjectPtr, kube::Status> transact(const Key& key, const Decide& decide);

 private:
  using Bucket = std::map<Position, ObjectPtr>;

  Store(std::unique_ptr<Journal> journal, FieldReader reader, WatchHub& hub)
      : journal_(std::move(journal)), reader_(std::move(reader)), hub_(hub) {}
  tl::expected<ObjectPtr, kube::Status> commit(const Key& key, const ObjectPtr& current, Change change);
  void index(Event event);

  std::unique_ptr<Journal> journal_;
  FieldReader reader_;
  WatchHub& hub_;
  std::mutex write_mutex_;  ///< one writer; taken before index_mutex_
  mutable std::shared_mutex index_mutex_;
  std::map<std::string, Bucket> buckets_;
  std::uint64_t version_ = 0;
  std::atomic<bool> failing_ = false;  ///< the last write could not be kept
};

}  // namespace usbloop::apiserver
