#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/error.h"
#include "kube-sim/http/services.h"

namespace usbloop::apiserver {

/// The one TLS port: accepts connections and spreads them over a few threads with an event loop each.
class FrontDoor {
 public:
  /// `services` must outlive the front door.
  explicit FrontDoor(Services& services);
  ~FrontDoor();
  FrontDoor(const FrontDoor&) = delete;
  FrontDoor& operator=(const FrontDoor&) = delete;

  /// Binds and listens; port 0 lets the kernel choose. Answers the port. Nothing is accepted before start().
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
  void start();
  /// Accepts no more, ends idle connections and watches, gives the rest the grace time and then cuts it. Blocks until
  /// all is over. Idempotent.
  void stop();
  /// Ends the grace time of a stop() that is under way, or of the next one. From any thread.
  void cut();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usbloop::apiserver
