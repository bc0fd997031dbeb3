#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace usbloop::client {

/// The names of vendors and products, as the system's lists have them. Not printable for certain.
class UsbIds {
 public:
  using Id = std::pair<std::uint16_t, std::uint16_t>;  ///< vendor, product

  /// Looks the ids up in the first list that the system has: usb.ids, else udev's. Without a list there are no names.
  static UsbIds of_system(const std::set<Id>& wanted);
  /// The format of usb.ids (linux-usb.org): `0951  Vendor`, and below it `TAB 1666  Product`.
  static UsbIds from_usb_ids(std::istream& list, const std::set<Id>& wanted);
  /// The text form of udev's hardware database (hwdb(7)): `usb:v0951p1666*` and ` ID_MODEL_FROM_DATABASE=Product`.
  static UsbIds from_hwdb(std::istream& list, const std::set<Id>& wanted);

  /// Empty when the list does not have it.
  [[nodiscard]] std::string vendor(std::uint16_t vendor) const;
  [[nodiscard]] std::string product(std::uint16_t vendor, std::uint16_t product) const;

 private:
  explicit UsbIds(const std::set<Id>& wanted);
  void set_vendor(std::uint16_t vendor, std::string name);
  void set_product(Id id, std::string name);

  std::map<std::uint16_t, std::string> vendors_;  // of the wanted ids only
  std::map<Id, std::string> products_;
};

}  // namespace usbloop::client
