#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "device-sim/emulation/device.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {

/// What HID asks of every interface with one report each way, without ids: the class' descriptors and requests (HID
/// 1.11, sections 6 and 7). What the reports say is the device's own matter.
class HidFunction {
 public:
  static constexpr std::uint8_t kEndpoint = 0x81;                        ///< interrupt IN, of interface 0
  static constexpr std::uint8_t kNoBoot = 0, kKeyboard = 1, kMouse = 2;  ///< bInterfaceProtocol

  /// `report_descriptor` must outlive this object; `output_size` is that of the output report in bytes, 0: it has none.
  HidFunction(std::span<const std::uint8_t> report_descriptor, std::size_t output_size)
      : report_descriptor_(report_descriptor), output_(output_size) {}

  /// That of another interface than 0, without an output report, the boot protocol and an idle rate: who has no boot
  /// protocol need not know these requests, and stalls them.
  HidFunction(std::uint8_t interface, std::span<const std::uint8_t> report_descriptor)
      : report_descriptor_(report_descriptor), interface_(interface), is_plain_(true) {}

  /// The interface, its HID descriptor and its endpoint, which is kEndpoint and the interface's number.
  static void write_interface(usbredir::DescriptorWriter& writer, std::uint8_t protocol, std::size_t report_descriptor,
                              std::uint16_t packet, std::uint8_t interval, std::uint8_t interface = 0);

  /// Report protocol, idle rate 0 (reports only when something has changed), output report all zero.
  void reset();

  /// `input` is the device's report as it stands. An output report that the guest has set is in output().
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data, std::span<const std::byte> input);

  [[nodiscard]] std::span<const std::byte> output() const { return output_; }
  [[nodiscard]] bool is_boot_protocol() const { return protocol_ == 0; }
  /// How long after a report the same one is sent again; nothing: never.
  [[nodiscard]] std::optional<std::chrono::milliseconds> idle() const;

 private:
  [[nodiscard]] ControlReply descriptor(std::uint8_t type) const;
  [[nodiscard]] ControlReply get_report(std::uint16_t value, std::span<const std::byte> input) const;
  ControlReply set_report(std::uint16_t value, std::span<const std::byte> data);

  std::span<const std::uint8_t> report_descriptor_;
  std::vector<std::byte> output_;
  std::uint8_t interface_ = 0;
  bool is_plain_ = false;  ///< it has neither the boot protocol nor an idle rate
  std::uint8_t protocol_ = 1;
  std::uint8_t idle_ = 0;  ///< in 4 ms
};

}  // namespace usbloop::device_sim
