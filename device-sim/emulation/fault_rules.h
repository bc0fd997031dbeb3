#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "device-sim/emulation/descriptor_set.h"
#include "device-sim/emulation/fault.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {

/// The transfer type of each endpoint's address, over all alternate settings.
using EndpointTypes = std::map<std::uint8_t, usbredir::TransferType>;
EndpointTypes endpoint_types(const DescriptorSet& descriptors);

/// Which transfer is hit by what: the faults of transfers that are set, and how many transfers they have seen.
class FaultRules {
 public:
  /// An Error (kind invalid) when no endpoint of `types` can have it; `device` is the name of the device in it.
  Result<> add(const Fault& fault, const EndpointTypes& types, const std::string& device);
  void clear();

  /// A transfer of an endpoint begins: what happens to it, if anything does. Later faults count it too.
  std::optional<Fault> hit(std::uint8_t endpoint, usbredir::TransferType type);
  /// The guest has reset the device.
  void reset();

  /// Nothing is answered any more.
  [[nodiscard]] bool is_silent() const { return silent_; }
  /// The time that the transfers of an endpoint take, with `bytes` of data.
  [[nodiscard]] std::chrono::nanoseconds latency(std::uint8_t endpoint) const;
  [[nodiscard]] std::chrono::nanoseconds transmission(std::uint8_t endpoint, std::size_t bytes) const;

 private:
  struct Active {
    Fault fault;
    std::uint64_t seen = 0;
    std::uint64_t left = 0;   ///< transfers, or resets
    bool has_failed = false;  ///< reset_storm: since the last reset
  };
  std::vector<Active> active_;
  bool silent_ = false;
};

}  // namespace usbloop::device_sim
