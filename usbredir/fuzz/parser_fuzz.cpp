#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "usbredir/fuzz/targets.h"
#include "usbredir/parser.h"

namespace usbloop::usbredir::fuzz {

// The first byte chooses the side and how the stream is cut; the rest is the peer's stream, after an honest hello when
// the choice says so (a fuzzer rarely finds one by itself).
void parser(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto choice = std::to_integer<unsigned>(input[0]);
  input = input.subspan(1);
  PacketHandler nobody;
  ParserOptions options;
  options.side = (choice & 1) != 0 ? Side::usb_guest : Side::usb_host;
  options.limits.data = 64 * 1024;
  Parser target(options, nobody);
  if ((choice & 2) != 0) {
    options.side = (choice & 1) != 0 ? Side::usb_host : Side::usb_guest;
    Parser peer(options, nobody);
    if (!target.feed(peer.pending())) return;
  }
  const std::size_t piece = 1 + (choice >> 2);
  while (!input.empty()) {
    const auto taken = target.feed(input.first(std::min(piece, input.size())));
    if (!taken) return;
    target.consume(target.pending().size());
    input = input.subspan(*taken);
  }
}

}  // namespace usbloop::usbredir::fuzz
