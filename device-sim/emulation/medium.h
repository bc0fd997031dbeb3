#pragma once

#include "common/error.h"

namespace usbloop::device_sim {

/// The removable medium of a device, as a person at it takes it out and puts it in. Belongs to the thread of the
/// Device.
class Medium {
 public:
  virtual ~Medium() = default;

  [[nodiscard]] virtual bool is_loaded() const = 0;

  /// Puts the medium in. The guest hears of it with its next command; nothing happens when the medium is in.
  virtual void load() = 0;

  /// Takes the medium out, with all written data on the store, and ends the command that moves data. An Error
  /// (conflict) when the guest has locked it; `by_force` takes it out all the same. An Error of the store leaves it in.
  virtual Result<> eject(bool by_force = false) = 0;
};

}  // namespace usbloop::device_sim
