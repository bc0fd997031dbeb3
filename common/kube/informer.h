#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/kube/rest_client.h"

namespace usbloop::kube {

/// Keeps a copy of a list of objects by list and watch, keyed by metadata.uid, and says which ones changed. It goes on
/// through every failure. After a watch that ended it watches again; after one that broke or whose version expired it
/// lists again. Backoff with jitter spaces the tries.
///
/// run() belongs to one thread; everything else is thread-safe. Callbacks come from the thread of run() and must not
/// block for long.
class Informer {
 public:
  using Object = std::shared_ptr<const nlohmann::json>;
  struct Callbacks {
    /// The object was added, changed or removed (get() is then null). May come without a change.
    std::function<void(const std::string& uid)> changed;
    /// The API server began to answer (null) or stopped answering. Only called when this changes.
    std::function<void(const Error*)> reachable;
  };

  /// `path` of the list, with selectors as its query or without one. `client` must outlive this.
  Informer(const RestClient& client, std::string path, Callbacks callbacks);

  /// Returns when stop is requested.
  void run(const std::stop_token& stop);

  /// Null when there is no such object.
  [[nodiscard]] Object get(const std::string& uid) const;
  [[nodiscard]] std::vector<std::string> uids() const;
  /// Whether the first list has come. Before that an absent object means nothing.
  [[nodiscard]] bool synced() const;
  /// False when stop was requested first.
  bool wait_synced(const std::stop_token& stop) const;

  /// Takes the answer to a change of ours, which may be newer than what the watch has brought so far.
  void observe(nlohmann::json object);

 private:
  bool list(const std::stop_token& stop);
  void watch(const std::stop_token& stop);
  bool pause(const std::stop_token& stop);
  void replace(const nlohmann::json& items);
  bool apply(const nlohmann::json& event);
  void report(const Error* error);

  const RestClient& client_;
  std::string path_;
  Callbacks callbacks_;

  // Of run()'s thread.
  std::string version_;
  unsigned failures_ = 0;
  bool reported_ = false;
  bool was_reachable_ = false;

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::map<std::string, Object> objects_;
  bool synced_ = false;
};

}  // namespace usbloop::kube
