#pragma once

#include <optional>
#include <string_view>

namespace usbloop::launcher {

/// What can be done to a running guest beside starting and stopping it: virt-handler's PUT endpoints (wire.md
/// section 13).
enum class GuestAction { pause, unpause, softreboot, reset };

/// By the last segment of the endpoint's path ("pause"); nothing for others.
std::optional<GuestAction> action_of(std::string_view endpoint);

/// "Pause": as virt-launcher calls the command in its errors.
std::string_view command_name(GuestAction action);

}  // namespace usbloop::launcher
