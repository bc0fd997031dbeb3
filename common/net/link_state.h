#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace usbloop::net {

/// What this kernel knows about the other end of a TCP connection. The other kernel answers whatever its programs do.
/// So this tells whether the host and the way to it are alive, not whether a program reads.
struct LinkState {
  std::chrono::milliseconds since_segment{0};  ///< since the last acknowledgement or payload that came
  std::chrono::milliseconds since_payload{0};  ///< since payload came, read by us or not
  std::uint32_t segments_in = 0;               ///< segments of any kind that have come; wraps
  std::uint32_t attempts = 0;                  ///< segments with payload that were sent, also again; wraps
  bool probing = false;                        ///< a probe (of a closed window, or a keepalive) has no answer yet
  std::size_t unread = 0;                      ///< bytes that have come and were not read
  /// The shortest time that a segment has taken there and back, of the last minutes; nothing: not measured yet. No
  /// program has part in it, so a busy machine does not make it longer.
  std::optional<std::chrono::microseconds> round_trip = std::nullopt;
};

/// Nothing for what is no TCP socket, and where the system does not tell.
std::optional<LinkState> link_state(int socket);

/// Asks the kernel to retry and to probe a closed window at least every `most` (Linux 6.15 and newer; older ones back
/// off to two minutes).
void limit_retry_interval(int socket, std::chrono::milliseconds most);

/// Notices that the host at the other end of a connection no longer answers.
class LinkWatch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit LinkWatch(std::chrono::milliseconds timeout) : timeout_(timeout) {}

  /// Call it several times within the timeout. Answers how long nothing has come, once that is longer than the timeout
  /// and something sent meanwhile had no answer; nothing otherwise.
  std::optional<std::chrono::milliseconds> look(Clock::time_point now, const LinkState& state);

 private:
  std::chrono::milliseconds timeout_;
  bool looked_ = false;
  std::uint32_t segments_in_ = 0;
  std::uint32_t attempts_ = 0;  ///< at the last look that had news
  Clock::time_point last_look_;
  Clock::time_point heard_;
  std::optional<Clock::time_point> unanswered_since_;
};

}  // namespace usbloop::net
