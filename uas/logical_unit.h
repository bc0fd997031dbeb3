#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace usbloop::uas {

/// Which way a command moves data, seen from the host, and how many bytes.
enum class Direction { none, in, out };
struct Movement {
  Direction direction = Direction::none;
  std::uint64_t bytes = 0;
  bool operator==(const Movement&) const = default;
};

/// How a command has ended (SAM-5, 5.3), and why when it failed.
struct Outcome {
  static constexpr std::uint8_t kGood = 0x00, kCheckCondition = 0x02, kBusy = 0x08, kTaskSetFull = 0x28;

  std::uint8_t status = kGood;
  std::vector<std::byte> sense = {};  ///< at most 252 bytes (SPC-4, 4.5); empty unless the status is check condition
};

/// Sense data in fixed format (SPC-4, 4.5.3), 18 bytes, of a current error.
std::vector<std::byte> fixed_sense(std::uint8_t key, std::uint8_t code, std::uint8_t qualifier);

/// The disk behind a Target. It has one command at a time:
///
///     begin(), produce() or accept() until all is moved, end()
///
/// Each of these may say "not yet" (nothing). The Target asks again when it is called next; whoever knows that
/// something has changed calls Target::advance(). Belongs to the thread of the Target.
class LogicalUnit {
 public:
  virtual ~LogicalUnit() = default;
  LogicalUnit() = default;
  LogicalUnit(const LogicalUnit&) = delete;
  LogicalUnit& operator=(const LogicalUnit&) = delete;

  /// Begins the command in `block`: 16 bytes, of which the command's kind uses as many as it needs. `offered` is what
  /// the host has asked for or sent so far for this command, where that can be known (with streams). Says what the
  /// command is going to move; nothing moved means that end() is next.
  virtual std::optional<Movement> begin(std::span<const std::byte, 16> block, const Movement& offered) = 0;

  /// Fills the beginning of `room`, which is not empty, and says with how many bytes. Fewer than the room has: they
  /// were the last.
  virtual std::optional<std::size_t> produce(std::span<std::byte> room) = 0;

  /// Takes `data`, which is not empty; asked again, it is given the same. Fewer bytes than there are: it takes no more.
  virtual std::optional<std::size_t> accept(std::span<const std::byte> data) = 0;

  virtual std::optional<Outcome> end() = 0;

  /// Gives up the command that has begun. The next begin() may have to wait until that is done.
  virtual void abort() = 0;

  /// Power-on state, apart from the data. No command is at hand.
  virtual void reset() = 0;
};

}  // namespace usbloop::uas
