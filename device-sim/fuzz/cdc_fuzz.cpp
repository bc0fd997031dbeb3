#include <memory>
#include <span>
#include <utility>

#include "device-sim/emulation/faulty_device.h"
#include "device-sim/fuzz/any_guest.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/serial/echo.h"
#include "device-sim/serial/ftdi_adapter.h"
#include "device-sim/serial/serial_port.h"

namespace usbloop::device_sim::fuzz {

// The first byte chooses a serial port of one speed or the other, or an adapter with FTDI's chip. Then what a guest
// does to it (AnyGuest).
void cdc(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto choice = std::to_integer<unsigned>(input[0]);
  std::unique_ptr<Device> device;
  if ((choice & 2) != 0) {
    device = std::make_unique<FtdiAdapter>(FtdiAdapterOptions{}, std::make_unique<Echo>());
  } else {
    SerialPortOptions options;
    if ((choice & 1) != 0) options.speed = usbredir::Speed::high;
    device = std::make_unique<SerialPort>(options, std::make_unique<Echo>());
  }
  AnyGuest guest(std::make_unique<FaultyDevice>(std::move(device)));
  guest.play(input.subspan(1));
  guest.end();
}

}  // namespace usbloop::device_sim::fuzz
