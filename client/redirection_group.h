#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "client/redirection.h"

namespace usbloop::client {

/// What the redirections of one command need of the program around them. All hooks may be called from any thread.
struct GroupHooks {
  /// Tells what has happened to device number `index`; the last call for each is that of its end.
  std::function<void(std::size_t index, const Event& event)> tell;
  /// Reads the kubeconfig again; one call at a time.
  std::function<Result<kube::ClusterAccess>()> reload_access;
  /// Ends the process with the status, at once: no device is held. A hook that returns (in a test) lets run() return.
  std::function<void(int status)> leave;
};

/// The devices of one command, each in a redirection of its own with a thread of its own: its end does not end the
/// others.
class RedirectionGroup {
 public:
  /// The devices are prepared; at least one.
  RedirectionGroup(const kube::ClusterAccess& access, const Target& target,
                   std::vector<std::unique_ptr<DeviceSource>> devices, const RedirectionOptions& options,
                   GroupHooks hooks);

  /// Returns when all have ended, with the worst of their exit statuses. Call once.
  int run();

  /// Asks all to end; from any thread, once. The process is left when all that hold a device have given it back.
  void stop();

  /// What each has carried until now; from any thread.
  [[nodiscard]] std::vector<Counters> counters() const;

 private:
  RedirectionHooks hooks_for(std::size_t index);
  /// Notes how one has ended, the first time; `left`: its thread may hang in a call that nobody can end.
  void settle(std::size_t index, int status, bool left);

  const GroupHooks hooks_;
  std::mutex reload_mutex_;
  std::mutex mutex_;
  std::vector<std::optional<int>> statuses_;
  bool any_left_ = false;
  std::vector<std::unique_ptr<Redirection>> redirections_;
};

}  // namespace usbloop::client
