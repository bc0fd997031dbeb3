#include "device-sim/emulation/descriptor_set.h"

#include <algorithm>

#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

namespace type = usbredir::descriptor_type;

constexpr std::uint16_t kEnglishUs = 0x0409;
constexpr std::size_t kLongestString = 126;  // two bytes each, and two of header, in one byte of length

std::vector<std::byte> string_descriptor(const std::string& text) {
  usbredir::DescriptorWriter writer;
  writer.begin(type::kString);
  for (const char c : text.substr(0, kLongestString)) writer.u16(static_cast<unsigned char>(c));
  return writer.finish();
}

}  // namespace

std::vector<std::byte> DescriptorSet::find(std::uint8_t wanted, std::uint8_t index) const {
  if (wanted == type::kString) {
    if (index == 0) return usbredir::DescriptorWriter().begin(type::kString).u16(kEnglishUs).finish();
    return index <= strings.size() ? string_descriptor(strings[index - 1U]) : std::vector<std::byte>{};
  }
  if (index != 0) return {};
  switch (wanted) {
    case type::kDevice: return device;
    case type::kConfiguration: return configuration;
    case type::kBos: return bos;
    case type::kDeviceQualifier: return device_qualifier;
    case type::kOtherSpeedConfiguration: return other_speed_configuration;
    default: return {};
  }
}

}  // namespace usbloop::device_sim
