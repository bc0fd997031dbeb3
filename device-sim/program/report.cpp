#include "device-sim/program/report.h"

#include <array>
#include <cstdio>

#include "common/shown_text.h"

namespace usbloop::device_sim {

void say(const std::string& text) { std::fprintf(stderr, "%s\n", shown_lines(text).c_str()); }

int report(const std::string& program, const Error& error) {
  say(program + ": " + one_line(error.message()));
  if (!error.hint.empty()) say(error.hint);
  return 1;
}

const char* log_level(int verbosity) {
  constexpr std::array<const char*, 6> kLevels = {"warn", "error", "warn", "info", "debug", "trace"};
  return kLevels.at(static_cast<std::size_t>(verbosity));
}

}  // namespace usbloop::device_sim
