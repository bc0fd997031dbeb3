#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "launcher-sim/guest.h"

namespace usbloop::launcher {

/// The guests of this node, by the uid of their VMI, and the room that is left for more. Thread-safe, but a guest
/// itself belongs to the thread that works on its uid.
class GuestTable {
 public:
  /// `room`: guests at the same time.
  explicit GuestTable(std::ptrdiff_t room) : room_(room) {}

  /// Null when there is none. Valid until it is erased.
  [[nodiscard]] Guest* find(const std::string& uid) const;
  [[nodiscard]] std::vector<Guest*> all() const;
  void add(std::unique_ptr<Guest> guest);
  /// Its room is free with it.
  void erase(const std::string& uid);

  [[nodiscard]] bool has_room() const;
  /// Takes room for the uid's guest, whose process is about to run. False when there is none.
  [[nodiscard]] bool take_room(const std::string& uid);
  /// Takes it in any case: the guest's process runs already.
  void count_in(const std::string& uid);
  /// Its process has ended, or did not come to be.
  void free_room(const std::string& uid);

 private:
  const std::ptrdiff_t room_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Guest>> guests_;
  /// kept up to date, not counted when asked: each look at any guest asks
  std::set<std::string> taken_;
};

}  // namespace usbloop::launcher
