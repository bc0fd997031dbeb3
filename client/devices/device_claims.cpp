#include "client/devices/device_claims.h"

namespace usbloop::client {

namespace {

bool same_kind(const LocalDevice& left, const LocalDevice& right) {
  return left.vendor == right.vendor && left.product == right.product && left.serial == right.serial;
}

/// An address alone says nothing once the device has gone: the next device may get it. Nor does a port alone: another
/// device may be plugged into it.
bool same_device(const LocalDevice& left, const LocalDevice& right) {
  if (!same_kind(left, right) || left.place.bus != right.place.bus) return false;
  return left.place.address == right.place.address ||
         (!left.place.ports.empty() && left.place.ports == right.place.ports);
}

}  // namespace

const DeviceClaims::Claim* DeviceClaims::other_claim(const void* owner, const LocalDevice& device) const {
  for (const auto& [other, claim] : claims_) {
    if (other != owner && same_device(claim.device, device)) return &claim;
  }
  return nullptr;
}

std::optional<std::string> DeviceClaims::claim(const void* owner, const std::string& name, const LocalDevice& device) {
  const std::lock_guard lock(mutex_);
  if (const auto* other = other_claim(owner, device)) return other->name;
  claims_.insert_or_assign(owner, Claim{name, device});
  return std::nullopt;
}

bool DeviceClaims::is_of_another(const void* owner, const LocalDevice& device) const {
  const std::lock_guard lock(mutex_);
  return other_claim(owner, device) != nullptr;
}

void DeviceClaims::forget(const void* owner) {
  const std::lock_guard lock(mutex_);
  claims_.erase(owner);
}

}  // namespace usbloop::client
