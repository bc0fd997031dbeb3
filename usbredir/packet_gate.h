#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/error.h"

namespace usbloop::usbredir {

/// Bounds on what a peer may send, all in bytes.
struct PacketLimits {
  /// Data of one control, bulk, interrupt or iso packet. QEMU hands over one guest transfer as one packet: 120 KiB or
  /// 1 MiB from Linux' usb-storage as it stands, up to what a guest's administrator sets in max_sectors_kb.
  std::uint32_t data = 4 * 1024 * 1024;
  /// A device filter as text.
  std::uint32_t filter = 64 * 1024;
};

/// Watches the packet boundaries of the stream that goes into libusbredirparser, and refuses what the library would
/// accept at our cost: packets before the hello, a second hello, and lengths that it would allocate (up to 128 MiB).
class PacketGate {
 public:
  /// `long_ids`: our own hello offers 64-bit ids, which are used when the peer's does so too.
  PacketGate(PacketLimits limits, bool long_ids);

  /// True when the next byte begins a packet.
  [[nodiscard]] bool at_boundary() const { return header_have_ == 0 && body_left_ == 0; }

  /// Whether the next bytes are data of a control or bulk packet, behind all that says what the packet is.
  [[nodiscard]] bool in_data() const;

  /// Looks at the next bytes of the stream, and returns those that may go on in one piece: at most `most`, and never
  /// more than the rest of a header or of a body.
  [[nodiscard]] Result<std::span<const std::byte>> pass(std::span<const std::byte> stream, std::size_t most);

 private:
  [[nodiscard]] Result<> check_header();
  void read_hello(std::span<const std::byte> piece);

  PacketLimits limits_;
  bool long_ids_;
  std::array<std::byte, 16> header_{};
  std::size_t header_size_;
  std::size_t header_have_ = 0;
  std::uint32_t type_ = 0;       ///< of the packet whose body comes
  std::uint32_t body_size_ = 0;  ///< of that body, and what of it has not come
  std::uint32_t body_left_ = 0;
  bool hello_seen_ = false;
};

}  // namespace usbloop::usbredir
