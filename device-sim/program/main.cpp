#include "common/version.h"
#include "device-sim/program/program.h"

int main(int argc, char** argv) {
  return usbloop::device_sim::run_program(argc > 0 ? argv[0] : "device-sim",
                                          std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc),
                                          usbloop::version());
}
