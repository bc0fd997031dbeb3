#pragma once

#include <array>
#include <memory>
#include <optional>

namespace usbloop::launcher {

/// The USB slots of one VMI (four with clientPassthrough: wire.md section 13). Lowest free index first. For one thread.
class SlotTable {
 public:
  static constexpr int kSlots = 4;

  /// A slot in use; free again when this is destroyed.
  class Lease {
   public:
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) noexcept = default;
    [[nodiscard]] int index() const { return token_ ? *token_ : -1; }

   private:
    friend class SlotTable;
    explicit Lease(std::shared_ptr<int> token) : token_(std::move(token)) {}
    std::shared_ptr<int> token_;
  };

  /// Nothing when all are in use.
  std::optional<Lease> take() {
    for (int index = 0; index < kSlots; ++index) {
      auto& slot = slots_[static_cast<std::size_t>(index)];
      if (!slot.expired()) continue;
      Lease lease(std::make_shared<int>(index));
      slot = lease.token_;
      return lease;
    }
    return std::nullopt;
  }

  [[nodiscard]] int in_use() const {
    int count = 0;
    for (const auto& slot : slots_) count += slot.expired() ? 0 : 1;
    return count;
  }

 private:
  std::array<std::weak_ptr<int>, kSlots> slots_;
};

}  // namespace usbloop::launcher
