#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "usbredir/capture/fuzz/targets.h"
#include "usbredir/capture/preamble.h"
#include "usbredir/capture/translator.h"
#include "usbredir/capture/usbmon.h"

namespace usbloop::capture::fuzz {

// Pieces of both directions, each with a byte that says which (the lowest bit: from the guest) and two for its length.
// Whatever passes, what is recorded of it can be read.
void session(std::span<const std::byte> input) {
  constexpr std::size_t kHead = 3;
  constexpr std::size_t kKeep = 512;
  Preamble preamble;
  Translator translator(kKeep, [&](Urb&& urb) {
    preamble.look_at(urb);
    auto bytes = usbmon_header(urb);
    bytes.insert(bytes.end(), urb.data.begin(), urb.data.end());
    const auto again = read_usbmon(bytes);
    if (!again || again->id != urb.id || again->data != urb.data) std::abort();
  });
  while (input.size() >= kHead) {
    const auto from_guest = (input[0] & std::byte{1}) != std::byte{0};
    const std::size_t length = std::to_integer<std::size_t>(input[1]) | std::to_integer<std::size_t>(input[2]) << 8;
    input = input.subspan(kHead);
    const auto piece = input.first(std::min(length, input.size()));
    from_guest ? translator.from_guest(piece) : translator.from_device(piece);
    input = input.subspan(piece.size());
  }
  translator.end();
  (void)preamble.repeat();
}

}  // namespace usbloop::capture::fuzz
