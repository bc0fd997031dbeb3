#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/redirection.h"

namespace usbloop::client {

/// What the redirections of one command need of the program around them. All hooks may be called from any thread.
struct GroupHooks {
  /// Tells the person lines of text, without a newline at the end.
  std::function<void(const std::string& lines)> say;
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

 private:
  RedirectionHooks hooks_for(std::size_t index, const std::string& name);
  int run_one(std::size_t index);
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
