#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <shared_mutex>
#include <string>
#include <vector>

#include "kube-sim/security/authorizer.h"
#include "kube-sim/security/rbac_index.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Decides by the roles and bindings in the store. Once a write is acknowledged, it counts for every decision that
/// follows. Keeps an index that follows the watch hub, so that a decision parses nothing. Thread-safe.
class RbacAuthorizer final : public Authorizer {
 public:
  /// Both must outlive the authorizer.
  RbacAuthorizer(const Store& store, WatchHub& hub);

  [[nodiscard]] Decision authorize(const User& user, const Attributes& attributes) const override;

  /// All that the user may do in the namespace (empty: the cluster) by roles; system:masters has no rules of its own
  /// beyond those bound to it.
  [[nodiscard]] std::vector<PolicyRule> rules_for(const User& user, const std::string& namespace_) const;

  /// The rules of the role that a binding refers to; null when it does not exist.
  [[nodiscard]] Rules rules_of(const std::string& kind, const std::string& name, const std::string& namespace_) const;

 private:
  /// The index, shared and as new as the store was when the call began.
  [[nodiscard]] std::shared_lock<std::shared_mutex> current() const;
  void refresh() const;
  void reload() const;

  const Store& store_;
  WatchHub& hub_;
  std::atomic<std::uint64_t> writes_ = 0;  ///< of RBAC's resources, counted before they are acknowledged
  mutable std::shared_mutex mutex_;        ///< guards what follows
  mutable RbacIndex index_;
  mutable std::uint64_t seen_writes_ = 0;  ///< of writes_: what the index holds
  mutable std::array<std::uint64_t, 4> cursors_{};
  std::vector<WatchHub::Subscription> subscriptions_;
};

}  // namespace usbloop::apiserver
