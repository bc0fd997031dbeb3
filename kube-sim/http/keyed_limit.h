#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace usbloop::apiserver {

/// Counts how many of something each key (an address, a user) has, and allows no more than a limit. Thread-safe.
class KeyedLimit {
 public:
  explicit KeyedLimit(std::size_t most) : most_(most) {}

  /// False when the key has as many as it may.
  bool take(const std::string& key) {
    const std::scoped_lock lock(mutex_);
    if (most_ == 0) return false;
    std::size_t& count = counts_[key];
    if (count >= most_) return false;
    ++count;
    return true;
  }
  /// Gives back what take() took.
  void give_back(const std::string& key) {
    const std::scoped_lock lock(mutex_);
    const auto found = counts_.find(key);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::map<std::string, std::size_t> counts_;
};

}  // namespace usbloop::apiserver
