#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "device-sim/smart_card/ccid_message.h"
#include "device-sim/smart_card/smart_card.h"

namespace usbloop::device_sim {

/// The one slot of a reader, which always has a card: answers the messages of the guest (CCID 1.1, 6). APDUs go to the
/// card as they are, each in one message.
class CcidSlot {
 public:
  /// `card` must outlive this object.
  explicit CcidSlot(SmartCard& card) : card_(card) {}

  /// The card has no power, and the parameters are what they were at first.
  void reset();

  /// The answer to a message, which has a header at least.
  std::vector<std::byte> answer(std::span<const std::byte> message);

  /// The guest gives up a command by the control pipe (5.3.1): all fail until the same has come by the bulk pipe.
  /// False: there is no such slot.
  bool begin_abort(std::uint8_t slot, std::uint8_t sequence);

 private:
  using Bytes = std::span<const std::byte>;
  using Message = std::vector<std::byte>;
  using Parameters = std::array<std::uint8_t, 5>;  // of T=0 (6.1.7)

  static constexpr Parameters kUsual = {0x11, 0, 0, 10, 0};

  Message dispatch(const CcidHeader& asked, Bytes body);
  Message power_on(const CcidHeader& asked, Bytes body);
  Message power_off(const CcidHeader& asked, Bytes body);
  Message transfer(const CcidHeader& asked, Bytes body);
  Message set_parameters(const CcidHeader& asked, Bytes body);
  [[nodiscard]] Message tell_parameters(const CcidHeader& asked) const;
  Message end_abort(const CcidHeader& asked);

  [[nodiscard]] Message done(const CcidHeader& asked, CcidAnswer type, Bytes body = {}) const;
  /// `error`: where in the message what is wrong stands, or one of those in the .cpp.
  [[nodiscard]] Message failed(const CcidHeader& asked, std::uint8_t error) const;

  SmartCard& card_;
  bool has_power_ = false;
  Parameters parameters_ = kUsual;
  std::optional<std::uint8_t> aborting_;  ///< the sequence number
};

}  // namespace usbloop::device_sim
