#include "launcher-sim/power_button.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

namespace usbloop::launcher {
namespace {

/// PM1_EN of a q35 machine, where its firmwares put it (PMBASE 0x600, ACPI specification 4.8.3.1). Reading it has no
/// effect; QMP has no command of its own for a port.
constexpr const char* kReadPm1Enable = "i /h 0x602";
constexpr unsigned kPowerButtonEnable = 1U << 8U;
constexpr unsigned kNoDevice = 0xffff;  ///< the firmware has not come so far as to place the register

}  // namespace

std::optional<bool> power_button_enabled(std::string_view answer) {
  constexpr std::string_view kBefore = " = 0x";
  const auto begin = answer.find(kBefore);
  if (begin == std::string_view::npos) return std::nullopt;
  answer.remove_prefix(begin + kBefore.size());
  unsigned value = 0;
  if (std::from_chars(answer.data(), answer.data() + answer.size(), value, 16).ec != std::errc{}) return std::nullopt;
  return value != kNoDevice && (value & kPowerButtonEnable) != 0;
}

std::optional<bool> listens_for_power_button(Qmp& qmp, std::chrono::milliseconds timeout) {
  const auto answer = qmp.execute("human-monitor-command", {{"command-line", kReadPm1Enable}}, timeout);
  if (!answer || !answer->is_string()) return std::nullopt;
  return power_button_enabled(answer->get<std::string>());
}

}  // namespace usbloop::launcher
