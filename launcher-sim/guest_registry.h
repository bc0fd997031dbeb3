#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace usbloop::launcher {

/// A guest as a session needs it.
struct GuestAddress {
  std::string uid;
  std::string directory;  ///< where its sockets are
};

/// Which VMIs have a guest on this node. Written by the controller, read by the channel server; thread-safe.
class GuestRegistry {
 public:
  void put(const std::string& vmi_namespace, const std::string& name, GuestAddress guest) {
    const std::lock_guard lock(mutex_);
    guests_[{vmi_namespace, name}] = std::move(guest);
  }

  /// Only the guest with this uid: its name may belong to a younger VMI by now. False when it was not there.
  bool drop(const std::string& uid) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(guests_, [&](const auto& entry) { return entry.second.uid == uid; }) > 0;
  }

  [[nodiscard]] std::optional<GuestAddress> find(const std::string& vmi_namespace, const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = guests_.find({vmi_namespace, name});
    if (found == guests_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, GuestAddress> guests_;
};

}  // namespace usbloop::launcher
