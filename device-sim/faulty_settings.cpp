#include <utility>

#include "device-sim/block_store.h"
#include "device-sim/descriptor_lies.h"
#include "device-sim/faulty_device.h"
#include "device-sim/spec.h"
#include "device-sim/storage_faults.h"

// What FaultyDevice can be told, and what its descriptors say then.
namespace usbloop::device_sim {
namespace {

auto refuse_for(const Fault& fault, const Device& device, std::string cause) {
  return make_error(ErrorKind::invalid, kEmulateOperation,
                    "the fault " + name_of(fault.kind) + " of " + device.description().label(), std::move(cause));
}

/// Why a storage device cannot have a fault of storage; null: it can.
const char* objection_to(const Fault& fault, const StorageSide& side) {
  if (side.faults == nullptr) return "it is no storage device";
  const bool is_of_bulk_only = fault.kind == FaultKind::residue || fault.kind == FaultKind::phase;
  if (is_of_bulk_only && !side.is_bulk_only) return "its status units (UAS) have no such field";
  if (fault.kind == FaultKind::medium_error && fault.block >= side.size / kBlockSize) {
    return "the disk ends before that block";
  }
  return nullptr;
}

}  // namespace

Result<> Device::set_fault(const Fault& fault) { return refuse_for(fault, *this, "it can have none"); }

Result<> FaultyDevice::set_fault(const Fault& fault) {
  if (StorageFaults::is_of_storage(fault.kind)) {
    const StorageSide side = inner_->storage();
    if (const char* cause = objection_to(fault, side)) return refuse_for(fault, *this, cause);
    side.faults->add(fault);
    return {};
  }
  if (fault.kind == FaultKind::descriptors) return set_descriptors(fault);
  if (fault.kind == FaultKind::wrong_speed) return set_speed(fault);
  return rules_.add(fault, types_, description_.label());
}

Result<> FaultyDevice::act(std::string_view verb, std::string_view what) {
  if (verb == "repair") {
    clear_faults();
    return {};
  }
  if (verb != "fault") return inner_->act(verb, what);
  const auto faults = parse_faults(what);
  if (!faults) return tl::unexpected(faults.error());
  for (const Fault& fault : *faults) {
    if (auto fine = set_fault(fault); !fine) return fine;
  }
  return {};
}

Result<> FaultyDevice::set_descriptors(const Fault& fault) {
  DescriptorSet shown = lie_.value_or(inner_->descriptors());
  const DescriptorLie* lie = find_lie(fault.lie);
  if (lie == nullptr || !lie->apply(shown)) {
    return refuse_for(fault, *this, "its descriptors have nothing that lie=" + fault.lie + " could change");
  }
  lie_ = std::move(shown);
  return {};
}

Result<> FaultyDevice::set_speed(const Fault& fault) {
  if (fault.speed == inner_->description().speed) return refuse_for(fault, *this, "it is the right speed");
  description_.speed = fault.speed;
  return {};
}

void FaultyDevice::clear_faults() {
  rules_.clear();
  lie_.reset();
  free_.clear();
  for (auto& [key, transfer] : transfers_) transfer = {};
  description_.speed = inner_->description().speed;
  if (const StorageSide side = inner_->storage(); side.faults != nullptr) side.faults->clear();
}

/// The descriptor that a lie shows.
std::optional<ControlReply> FaultyDevice::lied(const SetupPacket& setup) const {
  constexpr std::uint8_t kOfDevice = 0x80, kReadDescriptor = 6;
  if (!lie_ || setup.request_type != kOfDevice || setup.request != kReadDescriptor) return std::nullopt;
  auto found = lie_->find(static_cast<std::uint8_t>(setup.value >> 8), static_cast<std::uint8_t>(setup.value));
  if (found.empty()) return std::nullopt;
  return ControlReply{TransferStatus::success, std::move(found)};
}

}  // namespace usbloop::device_sim
