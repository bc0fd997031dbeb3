#pragma once

#include "device-sim/desk/device_info.h"
#include "device-sim/emulation/forwarding_device.h"

namespace usbloop::desk {

/// A device for the time of one redirection: what stands behind it goes on when this has gone. Counts what the guest
/// does. Device and counters must outlive it.
class DeviceLoan final : public device_sim::ForwardingDevice {
 public:
  using ControlReply = device_sim::ControlReply;
  using InReply = device_sim::InReply;
  using OutReply = device_sim::OutReply;
  using Pipe = device_sim::Pipe;

  DeviceLoan(Device& device, Counters& counters) : ForwardingDevice(device), counters_(counters) {}

  void reset() override {
    ++counters_.resets;
    ForwardingDevice::reset();
  }
  ControlReply request(const device_sim::SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  std::size_t isochronous(std::uint8_t endpoint, std::span<std::byte> room) override;
  void isochronous_out(std::uint8_t endpoint, std::span<const std::byte> data) override;

 private:
  Counters& counters_;
};

}  // namespace usbloop::desk
