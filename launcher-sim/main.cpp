#include <exception>
#include <iostream>

#include "launcher-sim/launcher.h"
#include "launcher-sim/options.h"

int main(int argc, char** argv) {
  try {
    const auto parsed = usbloop::launcher::parse_options(argc, argv);
    if (parsed.exit_code) return *parsed.exit_code;
    return usbloop::launcher::run(parsed.options);
  } catch (const std::exception& exception) {
    std::cerr << "launcher-sim: " << exception.what() << "\n";
    return 1;
  }
}
