#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>

#include "device-sim/emulation/device.h"
#include "usbredir/endpoint_table.h"

namespace usbloop::device_sim {

/// Which endpoints are halted, by usbredir's endpoint index.
using HaltSet = std::bitset<32>;

/// Answers the control transfers of endpoint 0: the standard requests (USB 2.0, 9.4; USB 3.2, 9.4) itself, the others
/// by the device. Configurations and alternate settings never come this way; usbredir has packets of their own for
/// them.
class ControlEndpoint {
 public:
  /// All must outlive this object.
  ControlEndpoint(Device& device, HaltSet& halted, const usbredir::EndpointTable& endpoints)
      : device_(device), halted_(halted), endpoints_(endpoints) {}

  ControlReply handle(const SetupPacket& setup, std::span<const std::byte> data);

 private:
  ControlReply standard(const SetupPacket& setup);
  ControlReply get_status(const SetupPacket& setup);
  ControlReply feature(const SetupPacket& setup, bool set);

  Device& device_;
  HaltSet& halted_;
  const usbredir::EndpointTable& endpoints_;
};

}  // namespace usbloop::device_sim
