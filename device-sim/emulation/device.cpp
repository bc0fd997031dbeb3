#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

Result<> Device::act(std::string_view verb, std::string_view /*what*/) {
  Medium* disk = medium();
  if (disk != nullptr && verb == "eject") return disk->eject();
  if (disk != nullptr && verb == "load") {
    disk->load();
    return {};
  }
  return make_error(ErrorKind::invalid, std::string(verb) + " on", description().label(), "it cannot do that");
}

}  // namespace usbloop::device_sim
