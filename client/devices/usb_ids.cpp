#include "client/devices/usb_ids.h"

#include <charconv>
#include <fstream>
#include <istream>
#include <optional>
#include <string_view>

namespace usbloop::client {

namespace {

constexpr std::size_t kLongestName = 256;
constexpr int kNoId = -1;

/// Exactly four hexadecimal digits at the front, or kNoId.
int four_digits(std::string_view text) {
  constexpr std::size_t kDigits = 4;
  std::uint16_t value = 0;
  if (text.size() < kDigits) return kNoId;
  const auto [end, code] = std::from_chars(text.data(), text.data() + kDigits, value, 16);
  return code == std::errc{} && end == text.data() + kDigits ? value : kNoId;
}

std::uint16_t id_of(int digits) { return static_cast<std::uint16_t>(digits); }

/// `0951  Name`: the number, and the name behind two blanks.
std::optional<std::pair<std::uint16_t, std::string>> numbered_name(std::string_view line) {
  constexpr std::size_t kNameAt = 6;
  const auto number = four_digits(line);
  if (number == kNoId || line.size() <= kNameAt || line.substr(4, 2) != "  ") return std::nullopt;
  return std::pair(id_of(number), std::string(line.substr(kNameAt, kLongestName)));
}

}  // namespace

UsbIds::UsbIds(const std::set<Id>& wanted) {
  for (const auto& id : wanted) {
    vendors_[id.first];
    products_[id];
  }
}

void UsbIds::set_vendor(std::uint16_t vendor, std::string name) {
  if (const auto found = vendors_.find(vendor); found != vendors_.end()) found->second = std::move(name);
}

void UsbIds::set_product(Id id, std::string name) {
  if (const auto found = products_.find(id); found != products_.end()) found->second = std::move(name);
}

UsbIds UsbIds::from_usb_ids(std::istream& list, const std::set<Id>& wanted) {
  UsbIds ids(wanted);
  int vendor = kNoId;
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() != '\t') {
      auto named = numbered_name(line);
      vendor = kNoId;  // the lists of classes, languages and so on have letters in front
      if (!named) continue;
      vendor = named->first;
      ids.set_vendor(named->first, std::move(named->second));
    } else if (vendor != kNoId) {
      if (auto named = numbered_name(std::string_view(line).substr(1))) {
        ids.set_product({id_of(vendor), named->first}, std::move(named->second));
      }
    }
  }
  return ids;
}

UsbIds UsbIds::from_hwdb(std::istream& list, const std::set<Id>& wanted) {
  constexpr std::string_view kMatch = "usb:v";
  constexpr std::string_view kVendorName = " ID_VENDOR_FROM_DATABASE=";
  constexpr std::string_view kProductName = " ID_MODEL_FROM_DATABASE=";
  UsbIds ids(wanted);
  int vendor = kNoId;
  int product = kNoId;
  for (std::string line; std::getline(list, line);) {
    const std::string_view text(line);
    if (text.starts_with(kMatch)) {
      vendor = four_digits(text.substr(kMatch.size()));
      const auto rest = text.substr(std::min(text.size(), kMatch.size() + 4));
      product = rest.starts_with('p') ? four_digits(rest.substr(1)) : kNoId;
    } else if (!text.starts_with(' ')) {
      vendor = kNoId;
    } else if (vendor != kNoId && product == kNoId && text.starts_with(kVendorName)) {
      ids.set_vendor(id_of(vendor), line.substr(kVendorName.size(), kLongestName));
    } else if (vendor != kNoId && product != kNoId && text.starts_with(kProductName)) {
      ids.set_product({id_of(vendor), id_of(product)}, line.substr(kProductName.size(), kLongestName));
    }
  }
  return ids;
}

UsbIds UsbIds::of_system(const std::set<Id>& wanted) {
  for (const char* path : {"/usr/share/misc/usb.ids", "/usr/share/hwdata/usb.ids", "/var/lib/usbutils/usb.ids"}) {
    if (std::ifstream list(path); list) return from_usb_ids(list, wanted);
  }
  for (const char* path :
       {"/usr/lib/udev/hwdb.d/20-usb-vendor-model.hwdb", "/lib/udev/hwdb.d/20-usb-vendor-model.hwdb"}) {
    if (std::ifstream list(path); list) return from_hwdb(list, wanted);
  }
  return UsbIds(wanted);
}

std::string UsbIds::vendor(std::uint16_t vendor) const {
  const auto found = vendors_.find(vendor);
  return found == vendors_.end() ? std::string() : found->second;
}

std::string UsbIds::product(std::uint16_t vendor, std::uint16_t product) const {
  const auto found = products_.find({vendor, product});
  return found == products_.end() ? std::string() : found->second;
}

}  // namespace usbloop::client
