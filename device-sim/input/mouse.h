#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device-sim/emulation/device.h"
#include "device-sim/input/hid_function.h"

namespace usbloop::device_sim {

/// The mouse as it is for one report: buttons that are down (1 left, 2 right, 4 middle), and how far it has gone since
/// the one before, right and down, and how far the wheel away from the person.
struct MouseStep {
  std::uint8_t buttons = 0;
  std::int8_t x = 0;
  std::int8_t y = 0;
  std::int8_t wheel = 0;

  bool operator==(const MouseStep&) const = default;
};

/// The most steps that one description makes.
inline constexpr std::size_t kMostMouseSteps = 65536;

/// What a script of words with spaces between them makes the mouse do: `move:X:Y`, `wheel:N`, and `click:`, `press:` or
/// `release:` with `left`, `right` or `middle`. Longer ways become several steps, along a straight line. An Error (kind
/// invalid) names the word that makes no sense.
Result<std::vector<MouseStep>> mouse_steps(std::string_view script);

struct MouseOptions {
  std::uint16_t vendor_id = 0x046d;
  std::uint16_t product_id = 0xc077;
  usbredir::Speed speed = usbredir::Speed::low;  ///< or full
  std::string serial = {};                       ///< empty: it has none
  std::vector<MouseStep> steps = {};
  std::chrono::milliseconds delay{1000};  ///< from the guest's first look to the first step
  std::chrono::milliseconds pace{10};     ///< from one step to the next; not below the endpoint's interval of 10 ms
};

/// A HID mouse with three buttons and a wheel that makes its steps once in its life, and then those that it is told to
/// (act()), when the guest receives from it.
/// In boot protocol its reports have no wheel.
class Mouse final : public Device {
 public:
  explicit Mouse(MouseOptions options);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe, std::span<const std::byte>) override { return OutReply::failed(TransferStatus::stall); }
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  void advance(Time now) override { now_ = now; }
  [[nodiscard]] std::optional<Time> due() const override;
  bool clear_halt(std::uint8_t) override { return true; }
  /// `do`: a script, behind all that is to be done already.
  Result<> act(std::string_view verb, std::string_view what) override;
  Result<> flush() override { return {}; }

 private:
  [[nodiscard]] std::vector<std::byte> report(const MouseStep& step) const;

  MouseOptions options_;
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  HidFunction hid_;
  std::size_t next_ = 0;
  std::uint8_t buttons_ = 0;
  Time now_{};
  std::optional<Time> step_at_;  ///< nothing: nobody has looked yet
};

}  // namespace usbloop::device_sim
