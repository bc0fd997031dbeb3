#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "device-sim/emulation/device.h"
#include "device-sim/smart_card/ccid_message.h"
#include "device-sim/smart_card/ccid_slot.h"
#include "device-sim/smart_card/smart_card.h"

namespace usbloop::device_sim {

struct SmartCardReaderOptions {
  std::uint16_t vendor_id = 0x08e6;
  std::uint16_t product_id = 0x4433;
  std::string serial = "USBLOOP01";
};

/// A smart-card reader by CCID 1.1 with one slot and a card that stays in it, at full speed, as they have it.
class SmartCardReader final : public Device {
 public:
  static constexpr std::uint8_t kNotify = 0x81, kIn = 0x82, kOut = 0x03;

  /// `card` is never null.
  SmartCardReader(const SmartCardReaderOptions& options, std::unique_ptr<SmartCard> card);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  bool clear_halt(std::uint8_t endpoint) override;
  Result<> flush() override { return {}; }

 private:
  InReply notify(std::span<std::byte> room);

  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  const std::unique_ptr<SmartCard> card_;
  CcidSlot slot_;
  CcidCollector collector_;
  std::deque<std::vector<std::byte>> answers_;
  std::size_t sent_ = 0;  ///< bytes of the first answer that the guest has
  bool told_ = false;     ///< that there is a card
};

}  // namespace usbloop::device_sim
