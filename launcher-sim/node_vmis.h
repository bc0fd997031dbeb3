#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/kube/informer.h"
#include "common/kube/rest_client.h"
#include "launcher-sim/decision.h"

namespace usbloop::launcher {

/// The VMIs that are handed over to this node, by list and watch, and what this node reports of them. Thread-safe.
class NodeVmis {
 public:
  /// `client` must outlive this.
  NodeVmis(const kube::RestClient& client, std::string node);

  /// Called from run()'s thread with the uid of a VMI that changed. Before run().
  void on_change(std::function<void(const std::string& uid)> changed) { changed_ = std::move(changed); }

  /// Returns when stop is requested.
  void run(const std::stop_token& stop) { informer_.run(stop); }
  /// Whether the first list has come; waits for it. False when stop was requested.
  bool wait_synced(const std::stop_token& stop) const { return informer_.wait_synced(stop); }

  /// Null when there is none, or another node has it.
  [[nodiscard]] kube::Informer::Object get(const std::string& uid) const { return informer_.get(uid); }

  /// The decision's phase, with the Event that tells of it.
  [[nodiscard]] Result<> write_phase(const nlohmann::json& vmi, const Decision& decision, const std::stop_token& stop);
  /// Turns the condition Paused over.
  [[nodiscard]] Result<> write_pause(const nlohmann::json& vmi, const std::stop_token& stop);
  /// An Event that does not reach the API is not sent again.
  void send_event(const nlohmann::json& vmi, const char* type, const std::string& reason, const std::string& message,
                  const std::stop_token& stop) const;

 private:
  const kube::RestClient& client_;
  const std::string node_;
  std::function<void(const std::string& uid)> changed_ = [](const std::string&) {};
  kube::Informer informer_;
};

}  // namespace usbloop::launcher
