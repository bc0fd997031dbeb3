#include "launcher-sim/guest_action.h"

#include <array>

namespace usbloop::launcher {
namespace {

struct Name {
  GuestAction action;
  std::string_view endpoint;
  std::string_view command;
};
constexpr std::array<Name, 4> kNames = {{{GuestAction::pause, "pause", "Pause"},
                                         {GuestAction::unpause, "unpause", "Unpause"},
                                         {GuestAction::softreboot, "softreboot", "SoftReboot"},
                                         {GuestAction::reset, "reset", "Reset"}}};

}  // namespace

std::optional<GuestAction> action_of(std::string_view endpoint) {
  for (const Name& name : kNames) {
    if (name.endpoint == endpoint) return name.action;
  }
  return std::nullopt;
}

std::string_view command_name(GuestAction action) {
  for (const Name& name : kNames) {
    if (name.action == action) return name.command;
  }
  return {};
}

}  // namespace usbloop::launcher
