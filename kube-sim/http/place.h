#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>

#include "kube-sim/http/keyed_limit.h"

namespace usbloop::apiserver {

/// Takes a place in a counter that has a limit, and gives it back.
class Place {
 public:
  Place(std::atomic<std::size_t>& counter, std::size_t limit) : counter_(counter), taken_(++counter <= limit) {}
  ~Place() { --counter_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  std::atomic<std::size_t>& counter_;
  bool taken_;
};

/// Takes one of a key's places, and gives it back.
class KeyedPlace {
 public:
  KeyedPlace(KeyedLimit& limit, std::string key) : limit_(limit), key_(std::move(key)), taken_(limit.take(key_)) {}
  ~KeyedPlace() {
    if (taken_) limit_.give_back(key_);
  }
  KeyedPlace(const KeyedPlace&) = delete;
  KeyedPlace& operator=(const KeyedPlace&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  KeyedLimit& limit_;
  const std::string key_;
  bool taken_;
};

}  // namespace usbloop::apiserver
