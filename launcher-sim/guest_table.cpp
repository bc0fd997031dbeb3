#include "launcher-sim/guest_table.h"

#include <utility>

namespace usbloop::launcher {

Guest* GuestTable::find(const std::string& uid) const {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(uid);
  return found == guests_.end() ? nullptr : found->second.get();
}

std::vector<Guest*> GuestTable::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Guest*> guests;
  for (const auto& [uid, guest] : guests_) guests.push_back(guest.get());
  return guests;
}

void GuestTable::add(std::unique_ptr<Guest> guest) {
  const std::string uid = guest->spec().uid;
  const std::lock_guard lock(mutex_);
  guests_.insert_or_assign(uid, std::move(guest));
}

void GuestTable::erase(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  guests_.erase(uid);
  taken_.erase(uid);
}

bool GuestTable::has_room() const {
  const std::lock_guard lock(mutex_);
  return std::ssize(taken_) < room_;
}

bool GuestTable::take_room(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  if (std::ssize(taken_) >= room_) return false;
  taken_.insert(uid);
  return true;
}

void GuestTable::count_in(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  taken_.insert(uid);
}

void GuestTable::free_room(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  taken_.erase(uid);
}

}  // namespace usbloop::launcher
