#pragma once

#include "device-sim/desk/device_info.h"
#include "device-sim/device.h"

namespace usbloop::desk {

/// A device for the time of one redirection: what stands behind it goes on when this has gone. Counts what the guest
/// does. Device and counters must outlive it.
class DeviceLoan final : public device_sim::Device {
 public:
  using ControlReply = device_sim::ControlReply;
  using InReply = device_sim::InReply;
  using OutReply = device_sim::OutReply;
  using Pipe = device_sim::Pipe;

  DeviceLoan(Device& device, Counters& counters) : device_(device), counters_(counters) {}

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return device_.description(); }
  [[nodiscard]] const device_sim::DescriptorSet& descriptors() const override { return device_.descriptors(); }
  void reset() override {
    ++counters_.resets;
    device_.reset();
  }
  ControlReply request(const device_sim::SetupPacket& setup, std::span<const std::byte> data) override;
  void select(std::uint8_t interface, std::uint8_t alternate) override { device_.select(interface, alternate); }
  void set_streams(std::uint8_t endpoint, std::uint32_t count) override { device_.set_streams(endpoint, count); }
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  std::size_t isochronous(std::uint8_t endpoint, std::span<std::byte> room) override;
  void advance(device_sim::Time now) override { device_.advance(now); }
  [[nodiscard]] std::optional<device_sim::Time> due() const override { return device_.due(); }
  void cancelled(Pipe pipe) override { device_.cancelled(pipe); }
  bool clear_halt(std::uint8_t endpoint) override { return device_.clear_halt(endpoint); }
  [[nodiscard]] bool buffers_bulk_in() const override { return device_.buffers_bulk_in(); }
  [[nodiscard]] device_sim::Medium* medium() override { return device_.medium(); }
  std::optional<ControlReply> meddle(const device_sim::SetupPacket& setup) override { return device_.meddle(setup); }
  [[nodiscard]] bool gone() const override { return device_.gone(); }
  [[nodiscard]] std::optional<Error> trouble() const override { return device_.trouble(); }
  Result<> set_fault(const device_sim::Fault& fault) override { return device_.set_fault(fault); }
  void clear_faults() override { device_.clear_faults(); }
  device_sim::StorageSide storage() override { return device_.storage(); }
  Result<> act(std::string_view verb, std::string_view what) override { return device_.act(verb, what); }
  Result<> flush() override { return device_.flush(); }

 private:
  Device& device_;
  Counters& counters_;
};

}  // namespace usbloop::desk
