#include "device-sim/descriptor_set.h"

#include <algorithm>

#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

namespace type = usbredir::descriptor_type;

constexpr std::uint16_t english_us = 0x0409;
constexpr std::size_t longest_string = 126;  // two bytes each, and two of header, in one byte of length

std::vector<std::byte> string_descriptor(const std::string& text) {
  usbredir::DescriptorWriter writer;
  writer.begin(type::string);
  for (const char c : text.substr(0, longest_string)) writer.u16(static_cast<unsigned char>(c));
  return writer.finish();
}

}  // namespace

std::vector<std::byte> DescriptorSet::find(std::uint8_t wanted, std::uint8_t index) const {
  if (wanted == type::string) {
    if (index == 0) return usbredir::DescriptorWriter().begin(type::string).u16(english_us).finish();
    return index <= strings.size() ? string_descriptor(strings[index - 1U]) : std::vector<std::byte>{};
  }
  if (index != 0) return {};
  switch (wanted) {
    case type::device: return device;
    case type::configuration: return configuration;
    case type::bos: return bos;
    case type::device_qualifier: return device_qualifier;
    case type::other_speed_configuration: return other_speed_configuration;
    default: return {};
  }
}

}  // namespace usbloop::device_sim
