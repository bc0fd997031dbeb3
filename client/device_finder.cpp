#include "client/device_finder.h"

#include <utility>

namespace usbloop::client {

DeviceFinder::DeviceFinder(Selector selector, DeviceClaims& claims, const DevicePolicy& policy)
    : selector_(std::move(selector)), claims_(claims), policy_(policy) {}

DeviceFinder::~DeviceFinder() { claims_.forget(this); }

Result<std::size_t> DeviceFinder::find(const std::vector<LocalDevice>& all) {
  const auto index = identity_ ? find_same(all) : choose_device(all, selector_);
  if (!index) return index;
  if (auto fine = policy_.check(all[*index]); !fine) return tl::unexpected(fine.error());
  if (auto fine = claim(all[*index]); !fine) return tl::unexpected(fine.error());
  return index;
}

void DeviceFinder::remember(const LocalDevice& device) {
  if (!identity_) identity_ = identity_of(device, std::holds_alternative<PortPath>(selector_));
}

/// Among those that are no other redirection's.
Result<std::size_t> DeviceFinder::find_same(const std::vector<LocalDevice>& all) const {
  std::vector<LocalDevice> free;
  std::vector<std::size_t> places;
  for (std::size_t index = 0; index < all.size(); ++index) {
    if (claims_.is_of_another(this, all[index])) continue;
    free.push_back(all[index]);
    places.push_back(index);
  }
  const auto found = find_again(free, *identity_);
  if (!found) return found;
  return places[*found];
}

Result<> DeviceFinder::claim(const LocalDevice& device) {
  const auto other = claims_.claim(this, name(), device);
  if (!other) return {};
  if (identity_) return make_error(ErrorKind::not_found, "find USB device", identity_->label(), "it is unplugged");
  return make_error(ErrorKind::invalid, "redirect USB device", name(), "it is the same device as " + *other,
                    "Name each device once: " + device.line());
}

DeviceFacts facts_of(const LocalDevice& device, const std::string& name) {
  return {name,
          device.id(),
          device.product_name,
          device.serial,
          device.port_path(),
          device.place.bus,
          device.place.address,
          device.emulated};
}

Result<> check_translatable(const LocalDevice& device) {
  constexpr std::uint8_t kMassStorage = 0x08, kScsiTransparent = 0x06, kBulkOnly = 0x50;
  const auto& classes = device.classes;
  const bool is_stick = classes.size() == 1 && classes[0].number == kMassStorage &&
                        classes[0].subclass == kScsiTransparent && classes[0].protocol == kBulkOnly;
  return is_stick ? Result<>() : not_translatable(device.line());
}

tl::unexpected<Error> not_translatable(const std::string& device) {
  return make_error(ErrorKind::invalid, "use --transport uas for", device,
                    "it is not a stick with Bulk-Only Transport alone",
                    "Leave --transport out: the device is redirected as it is.");
}

}  // namespace usbloop::client
