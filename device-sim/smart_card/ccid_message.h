#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace usbloop::device_sim {

/// bMessageType of what a guest sends (CCID 1.1, 6.1).
enum class CcidCommand : std::uint8_t {
  set_parameters = 0x61,
  power_on = 0x62,
  power_off = 0x63,
  get_slot_status = 0x65,
  secure = 0x69,
  escape = 0x6b,
  get_parameters = 0x6c,
  reset_parameters = 0x6d,
  transfer = 0x6f,
  abort = 0x72,
  set_rate_and_clock = 0x73
};

/// bMessageType of what a reader answers (6.2).
enum class CcidAnswer : std::uint8_t {
  data_block = 0x80,
  slot_status = 0x81,
  parameters = 0x82,
  escape = 0x83,
  rate_and_clock = 0x84
};

/// The ten bytes that begin a message, little-endian.
struct CcidHeader {
  static constexpr std::size_t kSize = 10;

  std::uint8_t type = 0;
  std::uint32_t length = 0;  ///< of what follows them
  std::uint8_t slot = 0;
  std::uint8_t sequence = 0;
  std::array<std::uint8_t, 3> rest{};  ///< what the type says; in answers bStatus, bError and one more

  /// `message` has kSize bytes at least.
  static CcidHeader read(std::span<const std::byte> message);
};

/// A message of `header`, whose length becomes that of `body`.
std::vector<std::byte> write_ccid(CcidHeader header, std::span<const std::byte> body);

/// Puts messages together again out of bulk transfers.
class CcidCollector {
 public:
  /// dwMaxCCIDMessageLength (5.1): the longest command APDU, which has 7 bytes of head, 65535 of data and 2 of length.
  static constexpr std::size_t kLongest = CcidHeader::kSize + 7 + 0xffff + 2;

  enum class State { more, complete, broken };

  /// The bytes of one transfer to an endpoint with packets of `packet` bytes. What is complete is a header and as many
  /// bytes as it says, or fewer where a short packet has ended them, or more; broken is what has no header, or is
  /// longer than kLongest, and is forgotten.
  State add(std::span<const std::byte> transfer, std::size_t packet);
  /// The complete message.
  std::vector<std::byte> take();
  void clear() { message_.clear(); }

 private:
  std::vector<std::byte> message_;
};

}  // namespace usbloop::device_sim
