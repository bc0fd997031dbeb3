#include "client/reconnect.h"

#include <algorithm>

namespace usbloop::client {

std::chrono::milliseconds Backoff::next() {
  const auto quarter = pause_.count() / 4;
  std::uniform_int_distribution<std::chrono::milliseconds::rep> around(-quarter, quarter);
  const auto pause = pause_ + std::chrono::milliseconds(around(random_));
  pause_ = std::min(pause_ * 2, limits_.longest);
  return pause;
}

bool is_busy(const websocket::Refusal& refusal) {
  if (refusal.status != 500) return false;
  const std::string message = refusal_message(refusal);
  return message.find("(503)") != std::string::npos || message.find("dialing virt-handler") != std::string::npos;
}

Next after_refusal(const websocket::Refusal& refusal) {
  const std::string message = refusal_message(refusal);
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  switch (refusal.status) {
    case 401:
    case 403: return Next::stop_if_repeated;
    // Also an API server without KubeVirt's API says 404, as one does that has just started.
    case 404: return says("not found") ? Next::ask : Next::retry;
    case 400: return says("not running") ? Next::ask : Next::stop;
    case 409: return says("Not configured") ? Next::stop : Next::retry;
    case 408:
    case 425:
    case 429: return Next::retry;
    default: return refusal.status >= 400 && refusal.status < 500 ? Next::stop : Next::retry;
  }
}

Next after_end(const SessionEnd& end, usbredir::HostState device) {
  switch (end.cause) {
    case SessionEnd::Cause::stopped: return Next::stop;
    case SessionEnd::Cause::device: return device == usbredir::HostState::device_gone ? Next::retry : Next::stop;
    case SessionEnd::Cause::closed: {
      // The peer holds what we sent to be wrong (RFC 6455 section 7.4.1); the same bytes would come again.
      constexpr std::uint16_t kOurFault[] = {1002, 1003, 1007, 1008, 1009, 1010};
      return std::find(std::begin(kOurFault), std::end(kOurFault), end.close.code) == std::end(kOurFault) ? Next::retry
                                                                                                          : Next::stop;
    }
    default: return Next::retry;
  }
}

bool comes_back(const VmiState& state) {
  if (state.has_vm) return true;
  return state.exists && !state.deleting && state.phase != "Succeeded" && state.phase != "Failed";
}

}  // namespace usbloop::client
