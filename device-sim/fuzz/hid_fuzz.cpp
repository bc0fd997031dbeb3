#include <memory>
#include <span>

#include "device-sim/emulation/faulty_device.h"
#include "device-sim/fuzz/any_guest.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/input/key_strokes.h"
#include "device-sim/input/keyboard.h"
#include "device-sim/input/mouse.h"

namespace usbloop::device_sim::fuzz {
namespace {

std::unique_ptr<Device> make_input(unsigned choice) {
  if ((choice & 1) != 0) {
    MouseOptions mouse;
    if (auto steps = mouse_steps("move:300:-20 click:left wheel:3 press:right")) mouse.steps = std::move(*steps);
    return std::make_unique<Mouse>(mouse);
  }
  KeyboardOptions keyboard;
  const bool media = (choice & 2) != 0;
  keyboard.has_media = media;
  if (auto strokes = key_strokes(media ? "a\\{mute}B\\{play}" : "aB\\{f1}")) keyboard.strokes = std::move(*strokes);
  return std::make_unique<Keyboard>(keyboard);
}

}  // namespace

// The first byte chooses the device: a keyboard, by bit 1 with media keys, or a mouse. Then what a guest does to it
// (AnyGuest).
void hid(std::span<const std::byte> input) {
  if (input.empty()) return;
  AnyGuest guest(std::make_unique<FaultyDevice>(make_input(std::to_integer<unsigned>(input[0]))));
  guest.play(input.subspan(1));
  guest.end();
}

}  // namespace usbloop::device_sim::fuzz
