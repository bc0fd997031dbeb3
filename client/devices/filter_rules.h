#pragma once

#include <usbredirfilter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/devices/usb_class.h"
#include "common/error.h"

namespace usbloop::client {

/// What a filter judges a device by.
struct FilteredDevice {
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
  std::uint16_t version = 0;               ///< bcdDevice
  InterfaceClass device_class;             ///< bDeviceClass and so on
  std::vector<InterfaceClass> interfaces;  ///< of the active configuration; empty: nobody knows them
};

/// usbredir's filter rules, as QEMU and SPICE have them: `CLASS,VENDOR,PRODUCT,VERSION,ALLOW` joined by `|`. Numbers
/// are decimal or 0x hexadecimal, -1 means any, ALLOW is 0 or 1. The first rule that fits decides, for the device's
/// class and for each interface (usbredirfilter.h); a device that no rule fits is refused.
class FilterRules {
 public:
  static constexpr std::size_t kMostRules = 256;

  /// Adds the rules of a text. Errors: invalid, with the rule that is wrong; nothing has been added then.
  Result<> add(std::string_view text);

  [[nodiscard]] bool empty() const { return rules_.empty(); }
  [[nodiscard]] const std::vector<usbredirfilter_rule>& all() const { return rules_; }

  /// Why the device is refused: the rule that does it, as it was written, or that none allows it. Nothing: it may be
  /// redirected, as every device may without rules.
  [[nodiscard]] std::optional<std::string> refusal(const FilteredDevice& device) const;

 private:
  std::vector<usbredirfilter_rule> rules_;
  std::vector<std::string> texts_;  ///< of each rule
};

}  // namespace usbloop::client
