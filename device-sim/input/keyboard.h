#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "device-sim/emulation/device.h"
#include "device-sim/input/hid_function.h"
#include "device-sim/input/key_strokes.h"

namespace usbloop::device_sim {

struct KeyboardOptions {
  std::uint16_t vendor_id = 0x046d;
  std::uint16_t product_id = 0xc31c;
  usbredir::Speed speed = usbredir::Speed::low;  ///< or full
  std::string serial = {};                       ///< empty: it has none
  bool has_media = false;                        ///< an interface with media keys (consumer control) besides
  std::vector<KeyStroke> strokes = {};           ///< what it types; media keys only if it has them
  /// From the guest's first look for keys to the first stroke.
  std::chrono::milliseconds delay{1000};
  /// From one report to the next: a stroke is two. Not below the endpoint's interval of 10 ms, or QEMU, which keeps
  /// 1000 reports for the guest, drops some of a long text.
  std::chrono::milliseconds pace{10};
};

/// A HID keyboard (boot and report protocol, whose reports are alike) that types its strokes once in its life, and then
/// what it is told to (act()), when the guest receives from it. A reset lets it go on with the stroke after the one
/// that was down. A media key waits until the guest receives from the interface that has them.
class Keyboard final : public Device {
 public:
  explicit Keyboard(KeyboardOptions options);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe, std::span<const std::byte>) override { return OutReply::failed(TransferStatus::stall); }
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  void advance(Time now) override { now_ = now; }
  [[nodiscard]] std::optional<Time> due() const override;
  bool clear_halt(std::uint8_t) override { return true; }
  /// `type`: a text, behind all that is to be typed already; `press`: a key by the name that it has in a text.
  Result<> act(std::string_view verb, std::string_view what) override;
  Result<> flush() override { return {}; }

  /// The lights as the guest has set them: 1 num lock, 2 caps lock, 4 scroll lock, 8 compose, 16 kana.
  [[nodiscard]] std::uint8_t lights() const { return std::to_integer<std::uint8_t>(hid_.output()[0]); }

 private:
  using Report = std::array<std::byte, 8>;

  [[nodiscard]] Report report() const;
  [[nodiscard]] std::array<std::byte, 2> media_report() const;
  Result<> type(std::string_view text);
  [[nodiscard]] bool has_more() const { return is_down_ || next_ < options_.strokes.size(); }
  void step();

  KeyboardOptions options_;
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  HidFunction hid_, media_;
  std::size_t next_ = 0;  ///< the stroke that is down, or comes
  bool is_down_ = false;
  Time now_{};
  std::optional<Time> step_at_;    ///< nothing: nobody has looked yet
  std::optional<Time> repeat_at_;  ///< when the report is sent again; nothing: never
};

}  // namespace usbloop::device_sim
