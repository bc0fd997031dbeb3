#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace usbloop::device_sim {

/// How bright and how rich in contrast pictures are.
struct Tone {
  std::int16_t brightness = 0;  ///< added to the luma
  std::int16_t contrast = 32;   ///< in 1/32

  bool operator==(const Tone&) const = default;
};

/// The luma that a tone makes of one of studio range, for all 256 values; 16 to 235 without the tone's own range.
std::array<std::byte, 256> luma_of(const Tone& tone);

/// The controls of a camera's processing unit (UVC 1.0, 4.2.2.3): brightness and contrast. They keep their values
/// through a reset of the bus, as the picture does not depend on the guest that set them last.
class PictureControls {
 public:
  static constexpr std::uint8_t kBrightness = 0x02, kContrast = 0x03;  ///< selectors

  [[nodiscard]] const Tone& tone() const { return tone_; }

  [[nodiscard]] static bool has(std::uint8_t selector) { return selector == kBrightness || selector == kContrast; }
  /// The answer to a GET request about a control that it has; nothing when there is no such request.
  [[nodiscard]] std::optional<std::vector<std::byte>> get(std::uint8_t request, std::uint8_t selector) const;
  /// False when the value is out of range or has not two bytes.
  bool set(std::uint8_t selector, std::span<const std::byte> value);

 private:
  Tone tone_;
};

}  // namespace usbloop::device_sim
