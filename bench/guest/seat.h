#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "bench/guest/measure.h"
#include "e2e/harness/client.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {

/// A guest with a stick of its own, which is plugged in by one road at a time. Functions throw e2e::Failure.
class GuestSeat {
 public:
  /// Boots a guest of that name; its stick has `mib` MiB.
  GuestSeat(const e2e::CaseDir& dir, e2e::Loop& loop, const std::string& name, std::size_t mib);

  /// Plugs the stick in ("high" or "super" speed) and waits until the guest has a disk.
  void attach(GuestRoad road, const std::string& speed);
  /// Reads the whole stick so many times, as fast as dd can; the guest remembers nothing of it. MB/s.
  double read(int times);
  /// Pulls it out and waits until the guest has no disk.
  void detach();

 private:
  [[nodiscard]] std::unique_ptr<e2e::Process> start(GuestRoad road);

  const e2e::CaseDir& dir_;
  e2e::Loop& loop_;
  e2e::Vmi vmi_;
  e2e::GuestConsole& guest_;
  const std::size_t bytes_;
  e2e::Stick stick_;
  std::unique_ptr<e2e::Process> holder_;  ///< of the stick, while it is plugged in
  std::string disk_;
  int attached_ = 0;
};

}  // namespace usbloop::bench
