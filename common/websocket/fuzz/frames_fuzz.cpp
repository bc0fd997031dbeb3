#include <algorithm>
#include <cstdlib>
#include <vector>

#include "common/websocket/frame.h"
#include "common/websocket/fuzz/targets.h"

namespace usbloop::websocket::fuzz {

// The first byte chooses the side and how the stream is cut; the rest is what the peer sends.
void frames(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto choice = std::to_integer<unsigned>(input[0]);
  std::vector<std::byte> stream(input.begin() + 1, input.end());
  FrameDecoder decoder((choice & 1) != 0);
  const std::size_t step = 1 + (choice >> 1);
  for (std::size_t at = 0; at < stream.size(); at += step) {
    auto piece = std::span(stream).subspan(at, std::min(step, stream.size() - at));
    while (!piece.empty()) {
      const Decoded decoded = decoder.next(piece);
      if (decoded.kind == Decoded::Kind::violation) return;
      if (decoded.consumed > piece.size() || decoded.payload.size() > stream.size() + kMaxControlPayload) std::abort();
      if (decoded.consumed == 0) std::abort();  // it would never end
      piece = piece.subspan(decoded.consumed);
    }
  }
}

}  // namespace usbloop::websocket::fuzz
