#pragma once

#include <httplib.h>

#include <chrono>
#include <memory>
#include <string>

#include "bench/meter.h"
#include "e2e/harness/loop.h"

namespace usbloop::bench {

/// An API server without nodes, as it is released (controllers, SQLite), and the VMIs in its store. Functions throw
/// e2e::Failure.
class Server {
 public:
  Server(const e2e::CaseDir& dir, std::size_t vmis);

  [[nodiscard]] std::size_t vmis() const { return vmis_; }
  [[nodiscard]] const e2e::Api& api() const { return loop_.api(); }
  /// One connection, kept alive.
  [[nodiscard]] httplib::SSLClient& client() const { return *client_; }
  [[nodiscard]] double cpu() { return cpu_seconds(loop_.apiserver().pid()); }
  /// Resident memory.
  [[nodiscard]] double kib();

  /// Seconds until the VMIs were created, and until the controllers had no more to do for them.
  struct Creation {
    double created = 0;
    double settled = 0;
  };
  Creation create_vmis();

  /// Stops the server and starts it again; the milliseconds from the start until it is ready.
  double restart();

 private:
  e2e::Loop loop_;
  std::size_t vmis_;
  std::unique_ptr<httplib::SSLClient> client_;
};

}  // namespace usbloop::bench
