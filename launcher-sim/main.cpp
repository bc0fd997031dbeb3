#include <exception>
#include <iostream>

#include "common/shown_text.h"
#include "common/version.h"
#include "launcher-sim/launcher.h"
#include "launcher-sim/options.h"

int main(int argc, char** argv) {
  try {
    const auto parsed = usbloop::launcher::parse_options(argc, argv, usbloop::version());
    if (parsed.exit_code) return *parsed.exit_code;
    return usbloop::launcher::run(parsed.options);
  } catch (const std::exception& exception) {
    std::cerr << "launcher-sim: " << usbloop::one_line(exception.what()) << "\n";
    return 1;
  }
}
