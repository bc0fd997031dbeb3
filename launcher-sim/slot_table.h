#pragma once

#include <bitset>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {

/// Which USB slots of which VMI are in use: four per VMI UID, the lowest free one first (wire.md section 13). For one
/// thread. Leases may outlive the table.
class SlotTable {
  using Slots = std::bitset<kUsbSlots>;

 public:
  /// One slot in use; free again at the end of this object.
  class Lease {
   public:
    Lease(Lease&& other) noexcept : slots_(std::move(other.slots_)), index_(other.index_) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(slots_, other.slots_);
      std::swap(index_, other.index_);
      return *this;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (slots_) slots_->reset(static_cast<std::size_t>(index_));
    }
    [[nodiscard]] int index() const { return index_; }

   private:
    friend class SlotTable;
    Lease(std::shared_ptr<Slots> slots, int index) : slots_(std::move(slots)), index_(index) {}
    std::shared_ptr<Slots> slots_;
    int index_;
  };

  /// Nothing when all are in use.
  std::optional<Lease> take(const std::string& uid);
  [[nodiscard]] int in_use(const std::string& uid) const;

 private:
  std::map<std::string, std::weak_ptr<Slots>> vmis_;
};

}  // namespace usbloop::launcher
