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

struct SerialPortOptions {
  std::uint16_t vendor_id = 0x2341;
  std::uint16_t product_id = 0x0043;
  usbredir::Speed speed = usbredir::Speed::full;  ///< or high
  std::string serial = "USBLOOP01";
};

/// How a port is set (PSTN120, 6.3.11).
struct LineCoding {
  std::uint32_t rate = 9600;   ///< bits in a second
  std::uint8_t stop_bits = 0;  ///< 0: 1, 1: 1.5, 2: 2
  std::uint8_t parity = 0;     ///< none, odd, even, mark, space
  std::uint8_t data_bits = 8;  ///< 5 to 8, or 16
};

/// A serial port by CDC-ACM (CDC 1.20, PSTN 1.20). What waits on the line is bounded: then the guest's writes wait.
class SerialPort final : public Device {
 public:
  static constexpr std::uint8_t kIn = 0x81, kOut = 0x02, kNotify = 0x83;

  /// `far_end` is never null.
  SerialPort(const SerialPortOptions& options, std::unique_ptr<FarEnd> far_end);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  bool clear_halt(std::uint8_t) override { return true; }
  Result<> flush() override { return {}; }
  void set_wake(std::function<void()> wake) override { far_end_->set_wake(std::move(wake)); }

  [[nodiscard]] const LineCoding& coding() const { return coding_; }
  /// What the guest has raised: 1 DTR, 2 RTS.
  [[nodiscard]] std::uint8_t lines() const { return lines_; }

 private:
  ControlReply set_coding(std::span<const std::byte> data);
  [[nodiscard]] ControlReply get_coding() const;
  InReply notify(std::span<std::byte> room);
  /// What the port tells of the far end, which is there as long as the guest is: 1 DCD, 2 DSR.
  [[nodiscard]] std::uint8_t carrier() const { return (lines_ & 1) != 0 && far_end_->is_there() ? 3 : 0; }

  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  LineCoding coding_;
  std::uint8_t lines_ = 0;
  std::optional<std::uint8_t> told_;  ///< the carrier() that the guest knows of
  const std::unique_ptr<FarEnd> far_end_;
};

}  // namespace usbloop::device_sim
