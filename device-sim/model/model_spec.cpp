#include "device-sim/model/model_spec.h"

#include "device-sim/emulation/spec_options.h"
#include "device-sim/model/model_device.h"

namespace usbloop::device_sim {

Result<std::unique_ptr<Device>> make_model(const DeviceSpec& spec, std::optional<UsbId> /*default_id*/) {
  const std::string* socket = option_of(spec, "socket");
  if (socket == nullptr || socket->empty()) {
    return refuse_option(spec, "socket= is missing", "For example: model,socket=/tmp/model.sock");
  }
  return ModelDevice::make(*socket);
}

}  // namespace usbloop::device_sim
