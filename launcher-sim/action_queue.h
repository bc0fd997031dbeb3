#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/error.h"
#include "launcher-sim/guest_action.h"

namespace usbloop::launcher {

/// How an action came out; ErrorKind::not_found: the VMI has no guest here.
using ActionDone = std::function<void(const Result<>&)>;

/// Actions that wait for the thread that works on their guest, by the uid of its VMI and in their order. Thread-safe.
class ActionQueue {
 public:
  struct Waiting {
    GuestAction action;
    ActionDone done;
  };

  /// After close() `done` is called at once, with an error.
  void add(const std::string& uid, GuestAction action, ActionDone done);
  /// All actions of the guest; they belong to the caller now.
  [[nodiscard]] std::vector<Waiting> take(const std::string& uid);
  /// Takes no more actions, and tells those that wait.
  void close();

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Waiting>> waiting_;
  bool closed_ = false;
};

}  // namespace usbloop::launcher
