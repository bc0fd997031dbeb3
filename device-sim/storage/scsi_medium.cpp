#include "device-sim/storage/scsi_disk.h"
#include "device-sim/storage/scsi_fields.h"

// What ScsiDisk does with its medium (SPC-4, PREVENT ALLOW MEDIUM REMOVAL; SBC-3, START STOP UNIT).
namespace usbloop::device_sim {
namespace {

using namespace scsi;  // fields and sense values: a table. NOLINT(google-build-using-namespace)

bool needs_medium(std::uint8_t operation) {
  switch (operation) {
    case kInquiryOp:
    case kRequestSenseOp:
    case kReportLuns:
    case kPreventAllow:
    case kStartStopUnit: return false;
    default: return true;
  }
}

/// Those that are answered before a unit attention is told (SAM-5, 5.14).
bool passes_attention(std::uint8_t operation) {
  return operation == kInquiryOp || operation == kRequestSenseOp || operation == kReportLuns;
}

}  // namespace

std::optional<Sense> ScsiDisk::medium_trouble(std::uint8_t operation) {
  if (!loaded_ && needs_medium(operation)) return kMediumNotPresent;
  if (!changed_ || passes_attention(operation)) return std::nullopt;
  changed_ = false;
  return kMediumChanged;
}

void ScsiDisk::load() {
  if (loaded_) return;
  loaded_ = changed_ = true;
}

Result<> ScsiDisk::eject(bool by_force) {
  if (!loaded_) return {};
  if (locked_ && !by_force) {
    return make_error(ErrorKind::conflict, "eject the medium", "", "the guest has locked it",
                      "The guest has it mounted; unmount it there, or take it out by force.");
  }
  if (auto done = store_.flush(); !done) return done;
  loaded_ = changed_ = false;
  if (from_store_ && !failed_) fail(kMediumNotPresent);
  return {};
}

ScsiDisk::Intent ScsiDisk::start_stop(Command command) {
  const bool start = (command[4] & 1) != 0;
  const bool load_or_eject = (command[4] & 2) != 0;
  if (load_or_eject && identity_.is_ssd) return fail(kInvalidField);
  if (load_or_eject && !start && locked_) return fail(kRemovalPrevented);
  if (!start && loaded_) {
    if (const Intent done = synchronize(); failed_) return done;
  }
  if (load_or_eject) loaded_ = start;
  return {};
}

ScsiDisk::Intent ScsiDisk::prevent_removal(Command command) {
  locked_ = (command[4] & 1) != 0;
  return {};
}

}  // namespace usbloop::device_sim
