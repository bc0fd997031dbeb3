#include "device-sim/camera/picture_controls.h"

#include <algorithm>

#include "device-sim/camera/video_requests.h"

namespace usbloop::device_sim {
namespace {

struct Range {
  std::int16_t least;
  std::int16_t most;
  std::int16_t usual;
};

Range range_of(std::uint8_t selector) {
  if (selector == PictureControls::kBrightness) return {-100, 100, Tone{}.brightness};
  return {0, 64, Tone{}.contrast};
}

std::vector<std::byte> two_bytes(std::int16_t value) {
  const auto bits = static_cast<std::uint16_t>(value);
  return {static_cast<std::byte>(bits & 0xff), static_cast<std::byte>(bits >> 8)};
}

}  // namespace

std::array<std::byte, 256> luma_of(const Tone& tone) {
  constexpr int kGrey = 126, kBlack = 16, kWhite = 235, kUnit = 32;
  std::array<std::byte, 256> table{};
  for (int luma = 0; luma < 256; ++luma) {
    const int changed = (luma - kGrey) * tone.contrast / kUnit + kGrey + tone.brightness;
    table.at(static_cast<std::size_t>(luma)) = static_cast<std::byte>(std::clamp(changed, kBlack, kWhite));
  }
  return table;
}

std::optional<std::vector<std::byte>> PictureControls::get(std::uint8_t request, std::uint8_t selector) const {
  using namespace video_request;  // a table of numbers. NOLINT(google-build-using-namespace)
  const Range range = range_of(selector);
  switch (request) {
    case kGetCurrent: return two_bytes(selector == kBrightness ? tone_.brightness : tone_.contrast);
    case kGetMin: return two_bytes(range.least);
    case kGetMax: return two_bytes(range.most);
    case kGetResolution: return two_bytes(1);
    case kGetDefault: return two_bytes(range.usual);
    case kGetLength: return two_bytes(2);
    case kGetInfo: return std::vector{kCanGetAndSet};
    default: return std::nullopt;
  }
}

bool PictureControls::set(std::uint8_t selector, std::span<const std::byte> value) {
  if (value.size() != 2) return false;
  const auto number =
      static_cast<std::int16_t>(std::to_integer<unsigned>(value[0]) | std::to_integer<unsigned>(value[1]) << 8);
  const Range range = range_of(selector);
  if (number < range.least || number > range.most) return false;
  (selector == kBrightness ? tone_.brightness : tone_.contrast) = number;
  return true;
}

}  // namespace usbloop::device_sim
