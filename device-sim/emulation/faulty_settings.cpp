#include <utility>

#include "device-sim/emulation/descriptor_lies.h"
#include "device-sim/emulation/faulty_device.h"

// What FaultyDevice can be told, and what its descriptors say then.
namespace usbloop::device_sim {
Result<> Device::set_fault(const Fault& fault) {
  return refuse_fault(fault, description(), is_of_storage(fault.kind) ? "it is no storage device" : "it can have none");
}

Result<> FaultyDevice::set_fault(const Fault& fault) {
  if (is_of_storage(fault.kind)) return inner_->set_fault(fault);
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
    return refuse_fault(fault, description(), "its descriptors have nothing that lie=" + fault.lie + " could change");
  }
  lie_ = std::move(shown);
  return {};
}

Result<> FaultyDevice::set_speed(const Fault& fault) {
  if (fault.speed == inner_->description().speed) return refuse_fault(fault, description(), "it is the right speed");
  description_.speed = fault.speed;
  return {};
}

void FaultyDevice::clear_faults() {
  rules_.clear();
  lie_.reset();
  free_.clear();
  for (auto& [key, transfer] : transfers_) transfer = {};
  description_.speed = inner_->description().speed;
  inner_->clear_faults();
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
