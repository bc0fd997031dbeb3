#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/error.h"

namespace usbloop::client {

/// What the guest is shown of a stick with Bulk-Only Transport.
enum class Transport {
  automatic,  ///< whichever suits the way to the guest
  uas,        ///< a UAS disk, with Bulk-Only done here (translated_host.h)
  bulk_only   ///< the stick as it is
};

/// `auto`, `uas` or `bulk-only`.
Result<Transport> parse_transport(const std::string& text);

/// From this round trip on, `auto` means UAS: a command of Bulk-Only takes three of them, one command at a time (usb.md
/// section 5). docs/performance.md has the gain.
inline constexpr std::chrono::microseconds kLongWay{5000};

/// Whether the stick is to be translated. `round_trip`: as it was measured, if it was.
bool is_translated(Transport transport, std::optional<std::chrono::microseconds> round_trip, bool is_fit);

}  // namespace usbloop::client
