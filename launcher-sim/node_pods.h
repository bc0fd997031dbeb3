#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/kube/informer.h"
#include "common/kube/rest_client.h"

namespace usbloop::launcher {

/// The pods that are bound to this node, by list and watch, and what this node reports of them: the work of a kubelet,
/// for the pods of KubeVirt. Thread-safe.
class NodePods {
 public:
  /// `address`: of the node; its pods share it. `client` must outlive this.
  NodePods(const kube::RestClient& client, std::string node, std::string address);

  /// Called from run()'s thread with the uid of a VMI whose launcher pod changed, with kHandlerKey when a handler pod
  /// did, or with the key of a pod that is none of KubeVirt's. Before run().
  void on_change(std::function<void(const std::string& key)> changed) { changed_ = std::move(changed); }
  static constexpr const char* kHandlerKey = "virt-handler";
  static bool is_foreign(const std::string& key);

  /// Returns when stop is requested.
  void run(const std::stop_token& stop) { informer_.run(stop); }
  /// Whether the first list has come; waits for it. False when stop was requested.
  bool wait_synced(const std::stop_token& stop) const { return informer_.wait_synced(stop); }

  /// The launcher pod of a VMI on this node, or null. Of several the one that is not being deleted.
  [[nodiscard]] kube::Informer::Object launcher_of(const std::string& vmi_uid) const;
  [[nodiscard]] Result<> report_running(const nlohmann::json& pod, const std::stop_token& stop);
  [[nodiscard]] Result<> report_ended(const nlohmann::json& pod, bool well, const std::stop_token& stop);
  /// Completes the pod's deletion: nothing of it is left here.
  [[nodiscard]] Result<> remove(const nlohmann::json& pod, const std::stop_token& stop) const;

  /// Rejects a pod that is none of KubeVirt's and was bound to this node all the same; removes it when it is deleted.
  [[nodiscard]] Result<> settle_foreign(const std::string& key, const std::stop_token& stop);

  /// Keeps exactly one virt-handler pod on this node and running; completes the deletion of others.
  [[nodiscard]] Result<> keep_handler(const std::stop_token& stop);

 private:
  void note(const std::string& pod_uid);
  /// With mutex_ held.
  void forget(const std::string& pod_uid, const std::string& key);
  [[nodiscard]] std::set<std::string> pods_of(const std::string& key) const;
  [[nodiscard]] Result<> write_status(const nlohmann::json& pod, const nlohmann::json& patch,
                                      const std::stop_token& stop);

  const kube::RestClient& client_;
  const std::string node_;
  const std::string address_;
  std::function<void(const std::string& key)> changed_ = [](const std::string&) {};
  kube::Informer informer_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> key_of_pod_;             ///< pod uid -> VMI uid, kHandlerKey or a foreign key
  std::map<std::string, std::set<std::string>> pods_of_key_;  ///< the other way
};

/// Removes the virt-handler pods of the node, as far as the API answers.
Result<> remove_handlers(const kube::RestClient& client, const std::string& node);

}  // namespace usbloop::launcher
