#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "device-sim/emulation/device.h"
#include "device-sim/network/network.h"
#include "device-sim/network/network_frames.h"

namespace usbloop::device_sim {

struct NetworkAdapterOptions {
  std::uint16_t vendor_id = 0x0525;
  std::uint16_t product_id = 0xa4a1;
  usbredir::Speed speed = usbredir::Speed::high;  ///< or full
  std::string serial = "USBLOOP01";
  network::MacAddress mac = {};  ///< the guest's
};

/// A network adapter by CDC-ECM (CDC 1.20, ECM 1.20). What waits is bounded: the guest's transfers wait while the
/// network has no room, and frames for a guest that reads none get lost, as on any Ethernet.
class NetworkAdapter final : public Device {
 public:
  static constexpr std::uint8_t kIn = 0x81, kOut = 0x02, kNotify = 0x83;

  NetworkAdapter(const NetworkAdapterOptions& options, std::unique_ptr<network::Network> network);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  void set_wake(std::function<void()> wake) override { network_->set_wake(std::move(wake)); }
  bool clear_halt(std::uint8_t endpoint) override;
  Result<> flush() override;

 private:
  ControlReply statistic(std::uint16_t selector) const;
  InReply notify(std::span<std::byte> room);
  [[nodiscard]] bool is_wanted(const network::Frame& frame) const;
  void begin_link();

  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  const network::MacAddress mac_;
  const std::unique_ptr<network::Network> network_;
  FrameCollector collector_;
  FrameDivider divider_;
  std::uint16_t filter_;
  bool is_open_ = false;  ///< the data interface has its endpoints
  int told_ = 0;          ///< how many notifications the guest has had of the link as it is
  std::uint32_t sent_ = 0, received_ = 0, broken_ = 0;
  std::uint32_t reported_ = 0;  ///< frames that the log has told of
};

}  // namespace usbloop::device_sim
