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
  std::string uid;  ///< an RFC 4122 UUID; names the guest's folder
  std::int64_t memory_mib = 256;
  int cores = 1;
  bool client_passthrough = false;  ///< four USB slots
  bool graphics = true;             ///< a display, to be had by VNC
  std::chrono::seconds grace{30};   ///< between the power button and the plug; see termination_grace()

  /// "default/demo".
  [[nodiscard]] std::string full_name() const { return vmi_namespace + "/" + name; }
};

/// Reads a kubevirt.io/v1 VirtualMachineInstance. ErrorKind::invalid names the field.
Result<GuestSpec> guest_spec(const nlohmann::json& vmi);

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
