#include "launcher-sim/slot_table.h"

namespace usbloop::launcher {

std::optional<SlotTable::Lease> SlotTable::take(const std::string& uid) {
  std::erase_if(vmis_, [](const auto& entry) { return entry.second.expired(); });
  auto slots = vmis_[uid].lock();
  if (!slots) vmis_[uid] = slots = std::make_shared<Slots>();
  for (int index = 0; index < kUsbSlots; ++index) {
    if (slots->test(static_cast<std::size_t>(index))) continue;
    slots->set(static_cast<std::size_t>(index));
    return Lease(slots, index);
  }
  return std::nullopt;
}

int SlotTable::in_use(const std::string& uid) const {
  const auto found = vmis_.find(uid);
  const auto slots = found == vmis_.end() ? nullptr : found->second.lock();
  return slots ? static_cast<int>(slots->count()) : 0;
}

}  // namespace usbloop::launcher
