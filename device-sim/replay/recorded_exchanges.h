#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "device-sim/replay/recording.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {

/// The exchanges of a recorded Bulk-Only device (usbmassbulk_10): a command wrapper, its data and its status wrapper
/// are one exchange, which the command block finds. What only reads or asks may come again and in another order: it
/// is answered as at the nearest place of the recording, but blocks are not read across a write. What changes the
/// device has to come as recorded. The status wrapper gets the tag of the command that was given.
class RecordedExchanges {
 public:
  /// Where a guest leaves the recording.
  struct Stray {
    std::uint64_t record = 0;  ///< which was expected; 0: none
    std::string what;
  };

  /// One for each Bulk-Only interface of the recording that take() finds something for.
  static std::vector<RecordedExchanges> take_all(Recording& recording, const usbredir::Configuration& configuration);

  /// Takes the transfers of `out` and `in` (addresses) out of the recording, and makes all others independent of how
  /// many of them come. Nothing, and the recording as it was, when they do not begin with a command wrapper.
  static std::optional<RecordedExchanges> take(Recording& recording, std::uint8_t out, std::uint8_t in);

  [[nodiscard]] bool has(std::uint8_t endpoint) const { return endpoint == out_ || endpoint == in_; }

  /// Looks for the exchange of what the guest writes, unless that is data of the one under way, and begins it.
  std::optional<Stray> begin(std::span<const std::byte> data);

  /// What is next in the exchange under way, if it is of this endpoint; null otherwise.
  [[nodiscard]] const RecordedTransfer* next(std::uint8_t endpoint) const;
  /// What next() gave is done.
  void went_on();
  /// What the guest has to write now, as in its own command wrapper.
  [[nodiscard]] bool at_command() const;
  /// Writes the guest's tag into a status wrapper.
  void put_tag(std::span<std::byte> answer) const;
  /// A reset: the exchange under way is over.
  void abandon() { current_.reset(); }

 private:
  struct Part {
    std::uint8_t endpoint = 0;
    RecordedTransfer transfer;
  };
  struct Exchange {
    std::vector<std::byte> key;  ///< the command wrapper without its tag
    std::vector<Part> parts;     ///< the command wrapper first
    bool used = false;

    [[nodiscard]] std::uint64_t record() const { return parts.front().transfer.record; }
  };

  RecordedExchanges(std::uint8_t out, std::uint8_t in) : out_(out), in_(in) {}
  [[nodiscard]] std::optional<std::size_t> find(std::span<const std::byte> key) const;
  [[nodiscard]] std::optional<std::size_t> find_question(std::span<const std::byte> key) const;
  [[nodiscard]] Stray stray(std::span<const std::byte> key) const;
  [[nodiscard]] std::size_t next_act() const;
  void start(std::size_t place, std::span<const std::byte> command);

  std::uint8_t out_, in_;
  std::vector<Exchange> exchanges_;
  std::size_t acts_done_ = 0;           ///< behind the last exchange that changes the device and has come
  std::optional<std::size_t> current_;  ///< the exchange under way
  std::optional<std::size_t> last_;     ///< the one that came last
  std::size_t part_ = 0;                ///< of the exchange under way
  std::uint32_t tag_ = 0;               ///< of the guest's command
};

}  // namespace usbloop::device_sim
