#include "usbredir/descriptors.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace usbloop::usbredir {
namespace {

constexpr std::size_t kConfigurationLength = 9;
constexpr std::size_t kInterfaceLength = 9;
constexpr std::size_t kEndpointLength = 7;
constexpr std::size_t kMaxInterfaces = 32;  // of usbredir's interface_info
constexpr std::size_t kMaxSettings = 256;   // bAlternateSetting is a byte
constexpr std::size_t kMaxEndpoints = 30;   // 15 numbers in two directions

auto refuse(std::string cause) {
  return make_error(ErrorKind::invalid, "read the configuration descriptor", "", std::move(cause));
}

std::uint8_t byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

std::uint16_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) | byte_at(bytes, at + 1) << 8);
}

Result<> add_setting(Configuration& configuration, std::span<const std::byte> d) {
  if (d.size() < kInterfaceLength) return refuse("an interface descriptor of " + std::to_string(d.size()) + " bytes");
  const AltSetting setting{byte_at(d, 2), byte_at(d, 3), byte_at(d, 5), byte_at(d, 6), byte_at(d, 7), {}};
  if (setting.interface >= kMaxInterfaces) return refuse("interface number " + std::to_string(setting.interface));
  if (configuration.find(setting.interface, setting.alternate) != nullptr) {
    return refuse("alternate setting " + std::to_string(setting.alternate) + " of interface " +
                  std::to_string(setting.interface) + " twice");
  }
  if (configuration.settings.size() == kMaxSettings) return refuse("too many alternate settings");
  configuration.settings.push_back(setting);
  return {};
}

Result<> add_endpoint(Configuration& configuration, std::span<const std::byte> d) {
  if (d.size() < kEndpointLength) return refuse("an endpoint descriptor of " + std::to_string(d.size()) + " bytes");
  if (configuration.settings.empty()) return refuse("an endpoint before the first interface");
  Endpoint endpoint;
  endpoint.address = byte_at(d, 2);
  endpoint.type = static_cast<TransferType>(byte_at(d, 3) & 3);
  endpoint.interval = byte_at(d, 6);
  if ((endpoint.address & 0x0f) == 0 || (endpoint.address & 0x70) != 0) {
    return refuse("endpoint address " + std::to_string(endpoint.address));
  }
  const std::uint16_t size = word_at(d, 4);
  const bool periodic = endpoint.type == TransferType::iso || endpoint.type == TransferType::interrupt;
  const int multiplier = periodic ? 1 + ((size >> 11) & 3) : 1;  // USB 2.0, table 9-13: additional transactions
  endpoint.max_packet_size = static_cast<std::uint16_t>((size & 0x7ff) * multiplier);
  auto& endpoints = configuration.settings.back().endpoints;
  if (endpoints.size() == kMaxEndpoints) return refuse("too many endpoints in one interface");
  endpoints.push_back(endpoint);
  return {};
}

/// A SuperSpeed companion (USB 3.2, 9.6.7): belongs to the endpoint before it. One that makes no sense gives no
/// streams.
void read_companion(Configuration& configuration, std::span<const std::byte> d) {
  constexpr std::size_t kCompanionLength = 6;
  constexpr std::uint8_t kExponent = 0x1f, kLargestExponent = 16;
  if (d.size() < kCompanionLength || configuration.settings.empty()) return;
  if (configuration.settings.back().endpoints.empty()) return;
  Endpoint& endpoint = configuration.settings.back().endpoints.back();
  const std::uint8_t exponent = byte_at(d, 3) & kExponent;
  const bool has_streams = endpoint.type == TransferType::bulk && exponent > 0 && exponent <= kLargestExponent;
  endpoint.max_streams = has_streams ? 1U << exponent : 0;
}

}  // namespace

const AltSetting* Configuration::find(std::uint8_t interface, std::uint8_t alternate) const {
  const auto found = std::find_if(settings.begin(), settings.end(), [&](const AltSetting& setting) {
    return setting.interface == interface && setting.alternate == alternate;
  });
  return found == settings.end() ? nullptr : &*found;
}

Result<Configuration> parse_configuration(std::span<const std::byte> bytes) {
  if (bytes.size() < kConfigurationLength || byte_at(bytes, 0) < kConfigurationLength ||
      byte_at(bytes, 1) != descriptor_type::kConfiguration) {
    return refuse("it is not a configuration descriptor");
  }
  if (const std::size_t total = word_at(bytes, 2); total > bytes.size() || total < kConfigurationLength) {
    return refuse("a total length of " + std::to_string(total) + " in " + std::to_string(bytes.size()) + " bytes");
  } else {
    bytes = bytes.first(total);
  }
  Configuration configuration;
  configuration.value = byte_at(bytes, 5);
  configuration.attributes = byte_at(bytes, 7);
  while (!bytes.empty()) {
    const std::size_t length = byte_at(bytes, 0);
    if (length < 2 || length > bytes.size()) return refuse("a descriptor is cut");
    const auto descriptor = bytes.first(length);
    Result<> added;
    if (byte_at(bytes, 1) == descriptor_type::kInterface) added = add_setting(configuration, descriptor);
    if (byte_at(bytes, 1) == descriptor_type::kEndpoint) added = add_endpoint(configuration, descriptor);
    if (byte_at(bytes, 1) == descriptor_type::kSuperspeedCompanion) read_companion(configuration, descriptor);
    if (!added) return tl::unexpected(added.error());
    bytes = bytes.subspan(length);
  }
  return configuration;
}

DescriptorWriter& DescriptorWriter::begin(std::uint8_t type) {
  close();
  start_ = bytes_.size();
  return u8(0).u8(type);
}

DescriptorWriter& DescriptorWriter::u8(std::uint8_t value) {
  bytes_.push_back(static_cast<std::byte>(value));
  return *this;
}

DescriptorWriter& DescriptorWriter::u16(std::uint16_t value) {
  return u8(static_cast<std::uint8_t>(value)).u8(static_cast<std::uint8_t>(value >> 8));
}

DescriptorWriter& DescriptorWriter::u32(std::uint32_t value) {
  return u16(static_cast<std::uint16_t>(value)).u16(static_cast<std::uint16_t>(value >> 16));
}

std::vector<std::byte> DescriptorWriter::finish(int total_at) {
  close();
  if (total_at >= 0) {
    const auto at = static_cast<std::size_t>(total_at);
    bytes_[at] = static_cast<std::byte>(bytes_.size() & 0xff);
    bytes_[at + 1] = static_cast<std::byte>(bytes_.size() >> 8);
  }
  start_ = 0;
  return std::exchange(bytes_, {});
}

void DescriptorWriter::close() {
  if (bytes_.size() > start_) bytes_[start_] = static_cast<std::byte>(bytes_.size() - start_);
}

}  // namespace usbloop::usbredir
