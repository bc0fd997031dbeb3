#include "common/websocket/round_trip.h"

#include <algorithm>
#include <array>
#include <span>

#include "common/net/deadline.h"
#include "common/websocket/frame.h"
#include "common/websocket/mask_source.h"

namespace usbloop::websocket {
namespace {

using Clock = std::chrono::steady_clock;

/// What a server says of itself before it has heard anything is shorter.
constexpr std::size_t kMostRead = 16 * 1024;

/// No number of messages (Channel's own pings have eight bytes), and the number of the ping.
std::array<std::byte, 3> payload_of(int ping) { return {std::byte{'r'}, std::byte{'t'}, static_cast<std::byte>(ping)}; }

/// Looks for pongs in all that has come. It decodes a copy: the bytes are the Channel's.
class PongFinder {
 public:
  /// False when `bytes` end the stream of frames: nothing more is to be waited for.
  bool look(std::vector<std::byte> bytes) {
    for (std::span<std::byte> left = bytes; !left.empty();) {
      const Decoded step = decoder_.next(left);
      left = left.subspan(step.consumed);
      if (step.kind == Decoded::Kind::violation) return false;
      if (step.kind != Decoded::Kind::control) continue;
      if (step.opcode == Opcode::close) return false;
      if (step.opcode == Opcode::pong) last_.assign(step.payload.begin(), step.payload.end());
    }
    return true;
  }
  [[nodiscard]] bool has(std::span<const std::byte> payload) const { return std::ranges::equal(last_, payload); }

 private:
  FrameDecoder decoder_{false};
  std::vector<std::byte> last_;  ///< the payload of the latest pong
};

/// One more read of `stream` into `came` and `pongs`; false when there is nothing more to wait for.
asio::awaitable<bool> read_more(net::Stream& stream, const net::Deadline& deadline, std::vector<std::byte>& came,
                                PongFinder& pongs) {
  std::array<std::byte, 2048> piece{};
  while (true) {
    if (deadline.expired() || came.size() >= kMostRead) co_return false;
    const net::IoResult got = stream.try_read(piece);
    if (got.status == net::IoStatus::ok) {
      came.insert(came.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got.bytes));
      co_return pongs.look({piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got.bytes)});
    }
    if (got.status == net::IoStatus::end || got.status == net::IoStatus::failed) co_return false;
    const auto ready = co_await stream.wait(got.status);
    if (!ready) co_return false;
  }
}

}  // namespace

asio::awaitable<std::optional<std::chrono::microseconds>> measure_round_trip(net::Stream& stream,
                                                                             std::vector<std::byte>& came,
                                                                             RoundTripOptions options) {
  // Nobody else waits at the socket yet, and what comes late is the Channel's.
  const net::Deadline deadline(stream.socket().get_executor(), options.patience,
                               [&stream] { stream.socket().cancel(); });
  std::optional<std::chrono::microseconds> shortest;
  PongFinder pongs;
  if (!pongs.look(came)) co_return shortest;
  MaskSource masks;
  for (int ping = 0; ping < options.pings; ++ping) {
    const auto payload = payload_of(ping);
    const MaskKey mask = masks.next();
    const auto frame = encode_control(Opcode::ping, payload, &mask);
    const auto begin = Clock::now();
    const auto sent = co_await stream.write_all(frame);
    if (!sent) {
      stream.close();  // half a frame may have gone
      co_return std::nullopt;
    }
    while (!pongs.has(payload)) {
      const bool goes_on = co_await read_more(stream, deadline, came, pongs);
      if (!goes_on && !pongs.has(payload)) co_return shortest;
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    shortest = std::min(took, shortest.value_or(took));
    if (took < options.long_way) break;
  }
  co_return shortest;
}

}  // namespace usbloop::websocket
