#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "device-sim/desk/desk_file.h"
#include "usbredir/host_end.h"
#include "usbredir/selector.h"

namespace usbloop::desk {

/// Who has a device.
struct Holder {
  std::string name;        ///< what its program calls itself
  int process = 0;         ///< its id, as the kernel says it
  std::int64_t since = 0;  ///< seconds since 1970

  /// `kubectl-usbredir (process 4711)`, printable.
  [[nodiscard]] std::string text() const;
};

/// What a device has done since the desk began.
struct Counters {
  std::uint64_t redirections = 0;
  std::uint64_t resets = 0;
  std::uint64_t requests = 0;  ///< class and vendor requests; the desk answers the standard ones itself
  std::uint64_t in = 0;        ///< transfers and isochronous packets with data for the guest
  std::uint64_t out = 0;       ///< transfers with data of the guest
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t failures = 0;  ///< stalls and other answers that are no success
};

/// Class, subclass and protocol of a device or an interface.
using ClassTriple = std::array<std::uint8_t, 3>;

/// All that a desk tells of one of its devices.
struct DeviceInfo {
  std::string name;
  std::string kind;
  Place place;
  usbredir::DeviceDescription description;
  std::string label;          ///< what lists call it; may be empty
  std::uint16_t version = 0;  ///< bcdDevice
  ClassTriple device_class{};
  std::vector<ClassTriple> interfaces;  ///< in their first settings
  bool plugged = true;
  std::uint64_t arrivals = 0;  ///< how often it has been plugged in
  std::optional<Holder> holder;
  Counters counters;

  /// `stick  2-8  0951:1666  Kingston DataTraveler 3.0  port=2-1  serial=…`, printable.
  [[nodiscard]] std::string line() const;
  /// Whether a person means this device by that.
  [[nodiscard]] bool matches(const usbredir::Selector& selector) const;
};

nlohmann::ordered_json to_json(const DeviceInfo& device);
/// Error (kind protocol) when it is no such object: the other end is another program.
Result<DeviceInfo> device_info_from(const nlohmann::json& object);

/// The one device that `text` means: a name on the desk or a selector. Errors: not_found and conflict, with what is
/// there. Those that are not plugged in count only with `unplugged_too`.
Result<DeviceInfo> choose_on_desk(const std::vector<DeviceInfo>& devices, const std::string& text, bool unplugged_too);

}  // namespace usbloop::desk
