#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "common/error.h"
#include "common/process_watch.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {

/// How far a guest that is a copy of a template (guest_template.h) has come.
enum class CloneState {
  being_made,  ///< it is not a machine of its own yet, and nobody may use it
  done
};

/// What a guest's folder says about its guest (vmi.json), for the launcher that comes after this one. What it does not
/// say is in the API.
struct GuestRecord {
  GuestSpec spec;
  /// Of QEMU (process_start_time); nothing when the launcher died between starting it and writing it down.
  std::optional<std::uint64_t> start_time = std::nullopt;
  std::optional<CloneState> clone = std::nullopt;  ///< nothing: it was booted
};

Result<> write_record(const std::string& directory, const GuestRecord& record);
/// ErrorKind::invalid when the folder is no guest's; never trusts it further than a VMI from the API.
Result<GuestRecord> read_record(const std::string& directory);

/// A mark in the folder: QEMU has announced its end. The next launcher must know, as QEMU does not repeat it, and may
/// never answer again (usb.md section 6). Best effort: without it that launcher finds out after its time for a start.
void mark_announced_end(const std::string& directory);
void unmark_announced_end(const std::string& directory);
bool has_announced_end(const std::string& directory);

/// The process in the folder's pid file, if there is a pid file.
std::optional<pid_t> read_pid(const std::string& directory);

/// Whether `pid` is the QEMU that the record means, and not a later process with its number.
bool is_recorded_process(pid_t pid, const std::string& directory, const GuestRecord& record);

}  // namespace usbloop::launcher
