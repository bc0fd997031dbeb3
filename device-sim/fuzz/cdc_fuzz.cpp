#include <memory>
#include <span>

#include "device-sim/emulation/faulty_device.h"
#include "device-sim/fuzz/any_guest.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/serial/echo.h"
#include "device-sim/serial/serial_port.h"

namespace usbloop::device_sim::fuzz {

// The first byte chooses the speed of a serial port. Then what a guest does to it (AnyGuest).
void cdc(std::span<const std::byte> input) {
  if (input.empty()) return;
  SerialPortOptions options;
  if ((std::to_integer<unsigned>(input[0]) & 1) != 0) options.speed = usbredir::Speed::high;
  AnyGuest guest(std::make_unique<FaultyDevice>(std::make_unique<SerialPort>(options, std::make_unique<Echo>())));
  guest.play(input.subspan(1));
  guest.end();
}

}  // namespace usbloop::device_sim::fuzz
