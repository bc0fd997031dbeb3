#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "device-sim/emulation/fault_rules.h"
#include "device-sim/emulation/forwarding_device.h"

namespace usbloop::device_sim {

/// A device that can be told to do things wrong: it stands before another one and passes all on, except where a fault
/// says otherwise. Faults of storage it hands to that device. Nothing here sleeps: what is late is "not
/// yet", and due() says when.
///
/// A bulk or control transfer is hit when it is first in its queue, before the device behind sees it; at an interrupt
/// endpoint a transfer is a report, and one that is hit is lost. usbredir has packets of their own for
/// SET_CONFIGURATION and SET_INTERFACE, which are not counted.
class FaultyDevice final : public ForwardingDevice {
 public:
  explicit FaultyDevice(std::unique_ptr<Device> inner);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  void reset() override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  void set_streams(std::uint8_t endpoint, std::uint32_t count) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  std::size_t isochronous(std::uint8_t endpoint, std::span<std::byte> room) override;
  void isochronous_out(std::uint8_t endpoint, std::span<const std::byte> data) override;
  void advance(Time now) override;
  [[nodiscard]] std::optional<Time> due() const override;
  void cancelled(Pipe pipe) override;
  bool clear_halt(std::uint8_t endpoint) override;
  std::optional<ControlReply> meddle(const SetupPacket& setup) override;
  [[nodiscard]] bool gone() const override { return gone_ || inner_->gone(); }
  void plug() override {
    gone_ = false;
    inner_->plug();
  }
  Result<> set_fault(const Fault& fault) override;
  /// `fault`: what parse_faults() reads; `repair`: clear_faults(). All else is for the device.
  Result<> act(std::string_view verb, std::string_view what) override;
  void clear_faults() override;

 private:
  /// A transfer that is first in its queue and has not been answered.
  struct Transfer {
    std::optional<Fault> hit;
    Time ready{};  ///< not before this
  };
  using Key = std::pair<std::uint8_t, std::uint32_t>;  ///< endpoint and stream

  void forget(std::uint8_t endpoint);
  Transfer& begun(Pipe pipe);
  [[nodiscard]] bool is_held(const Transfer& transfer) const;
  std::optional<TransferStatus> outcome_of(const Transfer& transfer);
  std::optional<TransferStatus> status_of(const Fault& fault);
  InReply report(Pipe pipe, std::span<std::byte> room);
  void ended(Pipe pipe, std::size_t bytes);
  [[nodiscard]] std::optional<ControlReply> lied(const SetupPacket& setup) const;
  Result<> set_descriptors(const Fault& fault);
  Result<> set_speed(const Fault& fault);

  std::unique_ptr<Device> inner_;
  usbredir::DeviceDescription description_;
  EndpointTypes types_;
  FaultRules rules_;
  std::optional<DescriptorSet> lie_;  ///< what is shown in the place of descriptors()
  std::map<Key, Transfer> transfers_;
  std::map<std::uint8_t, Time> free_;  ///< from when on a slow endpoint has a next transfer
  Time now_{};
  bool gone_ = false;
};

}  // namespace usbloop::device_sim
