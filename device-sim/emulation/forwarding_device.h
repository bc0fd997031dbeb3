#pragma once

#include <functional>
#include <utility>

#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

/// A device that stands before another one and passes all on; who derives from it overrides what it changes. A function
/// that Device gets has to be passed on here as well, and nowhere else. On the thread of the device behind.
class ForwardingDevice : public Device {
 public:
  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return behind().description(); }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return behind().descriptors(); }
  void reset() override { behind().reset(); }
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override {
    return behind().request(setup, data);
  }
  void select(std::uint8_t interface, std::uint8_t alternate) override { behind().select(interface, alternate); }
  void set_streams(std::uint8_t endpoint, std::uint32_t count) override { behind().set_streams(endpoint, count); }
  OutReply out(Pipe pipe, std::span<const std::byte> data) override { return behind().out(pipe, data); }
  InReply in(Pipe pipe, std::span<std::byte> room) override { return behind().in(pipe, room); }
  std::size_t isochronous(std::uint8_t endpoint, std::span<std::byte> room) override {
    return behind().isochronous(endpoint, room);
  }
  void isochronous_out(std::uint8_t endpoint, std::span<const std::byte> data) override {
    behind().isochronous_out(endpoint, data);
  }
  void advance(Time now) override { behind().advance(now); }
  [[nodiscard]] std::optional<Time> due() const override { return behind().due(); }
  void set_wake(std::function<void()> wake) override { behind().set_wake(std::move(wake)); }
  void cancelled(Pipe pipe) override { behind().cancelled(pipe); }
  bool clear_halt(std::uint8_t endpoint) override { return behind().clear_halt(endpoint); }
  [[nodiscard]] bool buffers_bulk_in() const override { return behind().buffers_bulk_in(); }
  [[nodiscard]] Medium* medium() override { return behind().medium(); }
  Result<> act(std::string_view verb, std::string_view what) override { return behind().act(verb, what); }
  Result<> flush() override { return behind().flush(); }
  std::optional<ControlReply> meddle(const SetupPacket& setup) override { return behind().meddle(setup); }
  [[nodiscard]] bool gone() const override { return behind().gone(); }
  void plug() override { behind().plug(); }
  [[nodiscard]] std::optional<Error> trouble() const override { return behind().trouble(); }
  Result<> set_fault(const Fault& fault) override { return behind().set_fault(fault); }
  void clear_faults() override { behind().clear_faults(); }

 protected:
  /// `behind` must outlive this object.
  explicit ForwardingDevice(Device& behind) : behind_(behind) {}

  [[nodiscard]] Device& behind() { return behind_; }
  [[nodiscard]] const Device& behind() const { return behind_; }

 private:
  Device& behind_;
};

}  // namespace usbloop::device_sim
