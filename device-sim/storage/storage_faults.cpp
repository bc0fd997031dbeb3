#include "device-sim/storage/storage_faults.h"

#include <algorithm>
#include <cstring>

#include "device-sim/storage/block_store.h"
#include "device-sim/storage/scsi_fields.h"

namespace usbloop::device_sim {
namespace {

/// Why a disk of that size cannot have the fault; null: it can.
const char* objection_to(const Fault& fault, std::uint64_t size, bool is_bulk_only) {
  if (!is_of_storage(fault.kind)) return "it can have none";
  const bool is_of_bulk_only = fault.kind == FaultKind::residue || fault.kind == FaultKind::phase;
  if (is_of_bulk_only && !is_bulk_only) return "its status units (UAS) have no such field";
  if (fault.kind == FaultKind::medium_error && fault.block >= size / kBlockSize) {
    return "the disk ends before that block";
  }
  return nullptr;
}

}  // namespace

Result<> StorageFaults::set(const Fault& fault, const usbredir::DeviceDescription& device, std::uint64_t size,
                            bool is_bulk_only) {
  if (const char* cause = objection_to(fault, size, is_bulk_only)) return refuse_fault(fault, device, cause);
  active_.push_back({fault});
  return {};
}

/// Counts one for the faults of `kind`, and says whether it is the turn of one.
bool StorageFaults::hits(FaultKind kind) {
  bool hit = false;
  for (Active& each : active_) {
    if (each.fault.kind != kind) continue;
    ++each.seen;
    hit = hit || (each.seen >= each.fault.at && each.seen - each.fault.at < each.fault.times);
  }
  return hit;
}

std::optional<Sense> StorageFaults::on_command(std::uint8_t operation) {
  // SAM-5, 5.14: these are executed all the same.
  const bool is_exempt =
      operation == scsi::kInquiryOp || operation == scsi::kRequestSenseOp || operation == scsi::kReportLuns;
  if (is_exempt || !hits(FaultKind::unit_attention)) return std::nullopt;
  const auto found = std::find_if(active_.begin(), active_.end(),
                                  [](const Active& each) { return each.fault.kind == FaultKind::unit_attention; });
  constexpr std::uint8_t kUnitAttention = 6;
  const std::uint16_t code = found->fault.code;
  return Sense{kUnitAttention, static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code)};
}

bool StorageFaults::has_bad(std::uint64_t offset, std::size_t size) const {
  return std::any_of(active_.begin(), active_.end(), [&](const Active& each) {
    if (each.fault.kind != FaultKind::medium_error || size == 0) return false;
    const std::uint64_t first = offset / kBlockSize, last = (offset + size - 1) / kBlockSize;
    return last >= each.fault.block && (first < each.fault.block || first - each.fault.block < each.fault.blocks);
  });
}

void StorageFaults::on_status_wrapper(std::span<std::byte> wrapper, std::uint32_t whole) {
  constexpr std::size_t kTagAt = 4, kResidueAt = 8, kStatusAt = 12;
  constexpr std::byte kPhaseError{2};
  if (hits(FaultKind::tag)) wrapper[kTagAt] ^= std::byte{0xff};
  if (hits(FaultKind::residue)) std::memcpy(wrapper.data() + kResidueAt, &whole, sizeof whole);
  if (hits(FaultKind::phase)) wrapper[kStatusAt] = kPhaseError;
}

void StorageFaults::on_status_unit(std::span<std::byte> unit) {
  constexpr std::size_t kTagAt = 2;
  constexpr std::byte kSense{3};  // its status; other units are not meant
  if (unit.size() < kTagAt + 2 || unit[0] != kSense || !hits(FaultKind::tag)) return;
  unit[kTagAt] ^= std::byte{0x12};
}

}  // namespace usbloop::device_sim
