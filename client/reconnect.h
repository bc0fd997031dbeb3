#pragma once

#include <chrono>
#include <random>

#include "client/messages.h"
#include "client/session.h"
#include "common/error.h"
#include "common/websocket/connect.h"
#include "usbredir/host_end.h"

// When a redirection that has ended is begun again. Pure functions; docs/client.md has the table for people.
namespace usbloop::client {

/// The pauses between the tries to reconnect: each about twice as long as the one before, up to a limit, and different
/// for each client, so that a server that comes back is not asked by all of them at once.
class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds first{250};
    std::chrono::milliseconds longest{10'000};
  };
  explicit Backoff(Limits limits) : Backoff(limits, std::random_device{}()) {}
  Backoff(Limits limits, unsigned seed) : limits_(limits), pause_(limits.first), random_(seed) {}

  /// The next pause: at most a quarter shorter or longer than its place in the row says.
  std::chrono::milliseconds next();
  void reset() { pause_ = limits_.first; }

 private:
  Limits limits_;
  std::chrono::milliseconds pause_;
  std::minstd_rand random_;
};

/// Whether it was refused because all slots of the VMI are taken. Servers before v1.8 say the same of other troubles
/// of the VMI's node (wire.md section 12).
bool is_busy(const websocket::Refusal& refusal);

enum class Next {
  stop,              ///< it cannot come back
  stop_if_repeated,  ///< an API server that has just started may say so before it knows its users and roles
  ask,               ///< only the VMI's state tells: comes_back()
  retry
};

/// What to do when a handshake has been refused (wire.md section 12).
Next after_refusal(const websocket::Refusal& refusal);

/// What to do when a session has ended. `device` is the state of the device's end; a device that is gone has to come
/// back first.
Next after_end(const SessionEnd& end, usbredir::HostState device);

/// Whether a VMI in this state runs again some day, or another of its name does: it is on its way, or a VirtualMachine
/// of its name can be started.
bool comes_back(const VmiState& state);

}  // namespace usbloop::client
