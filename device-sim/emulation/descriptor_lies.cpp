#include "device-sim/emulation/descriptor_lies.h"

#include <algorithm>
#include <array>
#include <optional>

#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

namespace type = usbredir::descriptor_type;
using Bytes = std::vector<std::byte>;

std::uint8_t at(const Bytes& bytes, std::size_t index) { return std::to_integer<std::uint8_t>(bytes[index]); }

/// Where the first descriptor of `wanted` begins; nothing when there is none.
std::optional<std::size_t> first(const Bytes& bytes, std::uint8_t wanted) {
  for (std::size_t place = 0; place + 2 <= bytes.size() && at(bytes, place) >= 2; place += at(bytes, place)) {
    if (at(bytes, place + 1) == wanted) return place;
  }
  return std::nullopt;
}

void write_total(Bytes& bytes, std::size_t total) {
  bytes[2] = static_cast<std::byte>(total);
  bytes[3] = static_cast<std::byte>(total >> 8);
}

/// Overwrites the byte at `offset` of the first descriptor of `wanted` in the configuration.
bool change(DescriptorSet& set, std::uint8_t wanted, std::size_t offset, std::uint8_t value) {
  const auto place = first(set.configuration, wanted);
  if (!place) return false;
  set.configuration[*place + offset] = std::byte{value};
  return true;
}

bool total_too_long(DescriptorSet& set) {
  write_total(set.configuration, set.configuration.size() + 64);
  return true;
}

bool length_of_0(DescriptorSet& set) { return change(set, type::kEndpoint, 0, 0); }

bool without_endpoints(DescriptorSet& set) {
  const auto place = first(set.configuration, type::kEndpoint);
  if (!place) return false;
  set.configuration.resize(*place);
  write_total(set.configuration, *place);
  return true;
}

bool endpoint_twice(DescriptorSet& set) {
  const auto place = first(set.configuration, type::kEndpoint);
  if (!place) return false;
  constexpr std::size_t kSize = 7;
  std::array<std::byte, kSize> copy{};
  const auto begin = set.configuration.begin() + static_cast<std::ptrdiff_t>(*place);
  std::copy_n(begin, kSize, copy.begin());
  set.configuration.insert(begin + kSize, copy.begin(), copy.end());
  write_total(set.configuration, set.configuration.size());
  return true;
}

bool endpoint_0(DescriptorSet& set) { return change(set, type::kEndpoint, 2, 0x80); }

bool packet_of_0(DescriptorSet& set) {
  return change(set, type::kEndpoint, 4, 0) && change(set, type::kEndpoint, 5, 0);
}

bool interface_number(DescriptorSet& set) { return change(set, type::kInterface, 2, 7); }

bool other_type(DescriptorSet& set) {
  set.configuration[1] = std::byte{type::kInterface};
  return true;
}

bool no_configuration(DescriptorSet& set) {
  constexpr std::size_t kNumConfigurations = 17;
  set.device[kNumConfigurations] = std::byte{0};
  return true;
}

bool control_packet(DescriptorSet& set) {
  constexpr std::size_t kMaxPacketSize0 = 7;
  set.device[kMaxPacketSize0] = std::byte{7};
  return true;
}

bool other_id(DescriptorSet& set) {
  constexpr std::size_t kProduct = 10;
  set.device[kProduct] ^= std::byte{0xff};
  return true;
}

}  // namespace

const std::vector<DescriptorLie>& descriptor_lies() {
  static const std::vector<DescriptorLie> kLies = {
      {"total-length", "the configuration says that it is 64 bytes longer than it is", total_too_long},
      {"zero-length", "the first endpoint's descriptor says that it has 0 bytes", length_of_0},
      {"no-endpoints", "the configuration ends before its first endpoint", without_endpoints},
      {"endpoint-twice", "the first endpoint is there twice", endpoint_twice},
      {"endpoint-0", "the first endpoint has the address of control transfers", endpoint_0},
      {"packet-size", "packets of the first endpoint have 0 bytes", packet_of_0},
      {"interface-number", "the first interface is number 7", interface_number},
      {"no-interface", "the configuration has the type of an interface", other_type},
      {"no-configuration", "the device says that it has no configuration", no_configuration},
      {"control-packet", "packets of control transfers have 7 bytes", control_packet},
      {"other-id", "the product is another one than that of the usbredir connection", other_id}};
  return kLies;
}

const DescriptorLie* find_lie(std::string_view name) {
  const auto& all = descriptor_lies();
  const auto found = std::find_if(all.begin(), all.end(), [&](const DescriptorLie& lie) { return lie.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> lie_names() {
  std::vector<std::string> names;
  for (const DescriptorLie& lie : descriptor_lies()) names.emplace_back(lie.name);
  return names;
}

}  // namespace usbloop::device_sim
