#pragma once

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "common/websocket/frame.h"

namespace usbloop::websocket {

/// Unpredictable mask keys (RFC 6455 section 10.3), drawn from the random source many at a time.
class MaskSource {
 public:
  MaskKey next() {
    if (used_ + sizeof(MaskKey) > pool_.size()) {
      RAND_bytes(reinterpret_cast<unsigned char*>(pool_.data()), static_cast<int>(pool_.size()));
      used_ = 0;
    }
    MaskKey key{};
    std::copy_n(pool_.begin() + static_cast<std::ptrdiff_t>(used_), key.size(), key.begin());
    used_ += key.size();
    return key;
  }

 private:
  std::array<std::byte, 512> pool_{};
  std::size_t used_ = pool_.size();
};

}  // namespace usbloop::websocket
