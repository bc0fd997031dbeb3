#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "apiserver-sim/api/object_writer.h"
#include "apiserver-sim/resources/registry.h"
#include "apiserver-sim/store/store.h"

namespace usbloop::apiserver {

/// Makes the namespaces that every cluster has, as far as they are missing.
Result<> make_system_namespaces(const Registry& registry, Store& store);

/// Empties namespaces that are being deleted and lets them go when nothing is left in them. One thread of its own.
class NamespaceController {
 public:
  NamespaceController(const Registry& registry, Store& store, WatchHub& hub);
  ~NamespaceController();
  NamespaceController(const NamespaceController&) = delete;
  NamespaceController& operator=(const NamespaceController&) = delete;

 private:
  void run();
  void finish_terminating();
  /// Deletes what is in the namespace; true when nothing is left.
  bool empty_out(const std::string& name);

  const Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool dirty_ = true;
  bool stopping_ = false;
  std::vector<WatchHub::Subscription> events_;
  std::thread thread_;
};

}  // namespace usbloop::apiserver
