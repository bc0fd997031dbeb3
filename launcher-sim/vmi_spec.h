#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/error.h"

namespace usbloop::launcher {

/// What a VMI asks of its guest: read from the object, bounded and checked. Value type.
struct GuestSpec {
  std::string vmi_namespace;
  std::string name;
  std::string uid;                 ///< an RFC 4122 UUID; names the guest's folder
  std::string hostname = {};       ///< a DNS label
  std::string system_uuid = {};    ///< SMBIOS' UUID of the system; empty: the uid
  std::string system_serial = {};  ///< SMBIOS' serial number; empty: none
  std::int64_t memory_mib = 256;
  int cores = 1;
  bool client_passthrough = false;  ///< four USB slots
  bool graphics = true;             ///< a display, to be had by VNC
  bool own_start = false;           ///< it has volumes, or says with which firmware it starts, or what that boots
  std::chrono::seconds grace{30};   ///< between the power button and the plug; see termination_grace()

  /// "default/demo".
  [[nodiscard]] std::string full_name() const { return vmi_namespace + "/" + name; }
};

/// Reads a kubevirt.io/v1 VirtualMachineInstance. ErrorKind::invalid names the field.
Result<GuestSpec> guest_spec(const nlohmann::json& vmi);

/// What of a guest is the same in all guests of its shape; the rest is nobody's. For templates of guests.
GuestSpec template_shape(const GuestSpec& guest);

/// Whether the guest may go on as a copy of another that was booted: it asks for nothing that a kernel reads when it
/// boots (a UUID or serial number of the system), has no start of its own, and at most 4 GiB.
bool may_be_cloned(const GuestSpec& guest);

/// spec.terminationGracePeriodSeconds of a VMI as it is now: 30 s when there is none, 0 for a negative one, and at most
/// a hundred years, so that clocks can reckon with it.
std::chrono::seconds termination_grace(const nlohmann::json& vmi);
/// The same of any JSON value that stands for such a period.
std::chrono::seconds grace_period(const nlohmann::json& value);

/// A Kubernetes quantity of memory ("256Mi", "1.5Gi", "512M", "1e9") in MiB, rounded up.
Result<std::int64_t> memory_mib(std::string_view quantity);

/// Whether the text is a UUID in its usual form; nothing else becomes a folder's name.
bool is_uuid(std::string_view text);

}  // namespace usbloop::launcher
