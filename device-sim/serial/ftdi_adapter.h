#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "device-sim/emulation/device.h"
#include "device-sim/serial/far_end.h"

namespace usbloop::device_sim {

struct FtdiAdapterOptions {
  std::uint16_t vendor_id = 0x0403;
  std::uint16_t product_id = 0x6001;
  std::string serial = "USBLOOP1";
};

/// A serial adapter as FTDI's FT232R. Its requests are the vendor's own, as Linux's ftdi_sio and libftdi have them;
/// each packet to the guest begins with two bytes of state. What waits on the line is bounded: then the guest's writes
/// wait. It has no EEPROM's content (all ones) and no bit modes.
class FtdiAdapter final : public Device {
 public:
  static constexpr std::uint8_t kIn = 0x81, kOut = 0x02;
  static constexpr std::size_t kPacket = 64, kState = 2;  ///< bytes

  /// `far_end` is never null.
  FtdiAdapter(const FtdiAdapterOptions& options, std::unique_ptr<FarEnd> far_end);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  [[nodiscard]] bool buffers_bulk_in() const override { return true; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  bool clear_halt(std::uint8_t) override { return true; }
  Result<> flush() override { return {}; }
  void set_wake(std::function<void()> wake) override { far_end_->set_wake(std::move(wake)); }

  /// Bits in a second, as the guest has set them; 0 before.
  [[nodiscard]] std::uint32_t rate() const { return rate_; }

 private:
  ControlReply vendor_out(const SetupPacket& setup);
  [[nodiscard]] ControlReply vendor_in(const SetupPacket& setup) const;
  void set_lines(std::uint16_t value);
  /// CTS follows RTS; DSR and DCD follow DTR: the far end is there as long as the guest is.
  [[nodiscard]] std::uint8_t modem() const;

  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  std::uint32_t rate_ = 0;
  std::uint8_t lines_ = 0;  ///< 1 DTR, 2 RTS
  std::uint8_t latency_ = 16;
  std::optional<std::uint8_t> told_;  ///< the modem() that the guest knows of
  const std::unique_ptr<FarEnd> far_end_;
};

}  // namespace usbloop::device_sim
