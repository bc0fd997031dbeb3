#include "common/net/link_state.h"

#ifdef __linux__
#include <linux/tcp.h>  // newer than the C library's
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#endif

#include <algorithm>

namespace usbloop::net {

std::optional<LinkState> link_state([[maybe_unused]] int socket) {
#ifdef __linux__
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  int unread = 0;
  if (::ioctl(socket, FIONREAD, &unread) != 0) return std::nullopt;
  using Time = std::chrono::milliseconds;
  constexpr auto kNotMeasured = ~decltype(info.tcpi_min_rtt){0};
  const std::chrono::microseconds shortest(info.tcpi_min_rtt);
  return LinkState{.since_segment = Time(std::min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv)),
                   .since_payload = Time(info.tcpi_last_data_recv),
                   .segments_in = info.tcpi_segs_in,
                   .attempts = info.tcpi_data_segs_out,
                   .probing = info.tcpi_probes > 0,
                   .unread = static_cast<std::size_t>(std::max(unread, 0)),
                   .round_trip = info.tcpi_min_rtt == kNotMeasured ? std::nullopt : std::optional(shortest)};
#else
  return std::nullopt;
#endif
}

void limit_retry_interval([[maybe_unused]] int socket, [[maybe_unused]] std::chrono::milliseconds most) {
#ifdef __linux__
  constexpr int kRtoMaxMs = 44;  // TCP_RTO_MAX_MS, which the headers of Debian 12 and 13 do not have
  const int value = static_cast<int>(std::clamp<std::int64_t>(most.count(), 1'000, 120'000));
  ::setsockopt(socket, IPPROTO_TCP, kRtoMaxMs, &value, sizeof(value));  // refused by older kernels and unix sockets
#endif
}

std::optional<std::chrono::milliseconds> LinkWatch::look(Clock::time_point now, const LinkState& state) {
  const bool news = !looked_ || state.segments_in != segments_in_;
  if (news) {
    // Segments that are no acknowledgement, such as probes of our own closed window, do not change the kernel's times.
    heard_ = looked_ ? std::max(now - state.since_segment, last_look_) : now - state.since_segment;
    looked_ = true;
    segments_in_ = state.segments_in;
    attempts_ = state.attempts;
    unanswered_since_.reset();
  } else if (!unanswered_since_ && (state.probing || state.attempts != attempts_)) {
    unanswered_since_ = now;
  }
  last_look_ = now;
  // An attempt first seen at this look may have its answer on the way.
  const bool unanswered = unanswered_since_ && now - *unanswered_since_ >= timeout_ / 10;
  if (!unanswered || now - heard_ < timeout_) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - heard_);
}

}  // namespace usbloop::net
