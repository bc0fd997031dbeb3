#include "device-sim/storage/disk_unit.h"

namespace usbloop::device_sim {

std::optional<uas::Movement> DiskUnit::begin(std::span<const std::byte, 16> block, const uas::Movement&) {
  return disk_.begin(block);
}

std::optional<std::size_t> DiskUnit::produce(std::span<std::byte> room) {
  return disk_.produce(room) ? room.size() : 0;
}

std::optional<std::size_t> DiskUnit::accept(std::span<const std::byte> data) {
  return disk_.accept(data) ? data.size() : 0;
}

std::optional<uas::Outcome> DiskUnit::end() {
  if (!disk_.failed()) return uas::Outcome{};
  const Sense sense = disk_.take_sense();
  return uas::Outcome{uas::Outcome::kCheckCondition, uas::fixed_sense(sense.key, sense.code, sense.qualifier)};
}

}  // namespace usbloop::device_sim
