#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/error.h"

namespace usbloop::usbredir {

/// Transfer types, numbered as in an endpoint descriptor's bmAttributes (USB 2.0, 9.6.6).
enum class TransferType : std::uint8_t { control = 0, iso = 1, bulk = 2, interrupt = 3 };

/// Descriptor types (USB 2.0, table 9-5; USB 3.2, table 9-6).
namespace descriptor_type {
inline constexpr std::uint8_t kDevice = 1, kConfiguration = 2, kString = 3, kInterface = 4, kEndpoint = 5,
                              kDeviceQualifier = 6, kOtherSpeedConfiguration = 7, kBos = 15, kDeviceCapability = 16,
                              kSuperspeedCompanion = 48;
}

/// One endpoint of an alternate setting.
struct Endpoint {
  std::uint8_t address = 0;  ///< number, and 0x80 for IN
  TransferType type = TransferType::bulk;
  std::uint16_t max_packet_size =
      0;                      ///< bytes per service interval as usbredir counts: times the high-bandwidth multiplier
  std::uint8_t interval = 0;  ///< bInterval as it stands
  std::uint32_t max_streams = 0;  ///< bulk streams that the endpoint can have (its companion says so); 0: none
};

/// One alternate setting of an interface.
struct AltSetting {
  std::uint8_t interface = 0;
  std::uint8_t alternate = 0;
  std::uint8_t interface_class = 0;
  std::uint8_t interface_subclass = 0;
  std::uint8_t interface_protocol = 0;
  std::vector<Endpoint> endpoints;
};

/// A configuration descriptor with all that belongs to it.
struct Configuration {
  std::uint8_t value = 0;       ///< bConfigurationValue
  std::uint8_t attributes = 0;  ///< bmAttributes
  std::vector<AltSetting> settings;

  /// Null when there is none.
  [[nodiscard]] const AltSetting* find(std::uint8_t interface, std::uint8_t alternate) const;
};

/// Reads the bytes of a GET_DESCRIPTOR(configuration) answer. They come from a device and are not trusted: an Error
/// (kind invalid) for a descriptor that is cut or too short, an endpoint outside of an interface, or more interfaces
/// (32), alternate settings (256 each) or endpoints (30) than USB allows. Descriptors of other types are passed over.
Result<Configuration> parse_configuration(std::span<const std::byte> bytes);

/// Builds descriptors byte by byte; the lengths are filled in.
class DescriptorWriter {
 public:
  /// Begins a descriptor of `type`; bLength is set by the next begin() or finish().
  DescriptorWriter& begin(std::uint8_t type);
  DescriptorWriter& u8(std::uint8_t value);
  DescriptorWriter& u16(std::uint16_t value);
  DescriptorWriter& u32(std::uint32_t value);
  /// Ends the last descriptor and gives all bytes. `total_at` is where a 16-bit total length belongs (configuration and
  /// BOS: 2), or -1.
  std::vector<std::byte> finish(int total_at = -1);

 private:
  void close();

  std::vector<std::byte> bytes_;
  std::size_t start_ = 0;
};

}  // namespace usbloop::usbredir
