#pragma once

#include <usbredirparser.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace usbloop::usbredir {

/// Releases what libusbredirparser has allocated with the library's own allocator (they differ on Windows).
struct PacketDataDeleter {
  void operator()(std::uint8_t* data) const { usbredirparser_free_packet_data(nullptr, data); }
};

/// The data of one packet from the peer: allocated by the library, owned here. May be empty.
class Payload {
 public:
  Payload() = default;
  Payload(std::uint8_t* data, int size) : data_(data), size_(data != nullptr && size > 0 ? std::size_t(size) : 0) {}

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(data_.get()), size_};
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::unique_ptr<std::uint8_t, PacketDataDeleter> data_;
  std::size_t size_ = 0;
};

}  // namespace usbloop::usbredir
