#include <memory>
#include <span>

#include "device-sim/emulation/faulty_device.h"
#include "device-sim/fuzz/any_guest.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/smart_card/smart_card_double.h"
#include "device-sim/smart_card/smart_card_reader.h"

namespace usbloop::device_sim::fuzz {

// The first byte says whether the card is mute. Then what a guest does to its reader (AnyGuest).
void ccid(std::span<const std::byte> input) {
  if (input.empty()) return;
  auto card = std::make_unique<test::SmartCardDouble>();
  card->is_mute = input[0] == std::byte{1};
  AnyGuest guest(
      std::make_unique<FaultyDevice>(std::make_unique<SmartCardReader>(SmartCardReaderOptions{}, std::move(card))));
  guest.play(input.subspan(1));
  guest.end();
}

}  // namespace usbloop::device_sim::fuzz
