#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "uas/information_units.h"
#include "uas/logical_unit.h"
#include "usbredir/transfer_reply.h"

namespace usbloop::uas {

/// The target side of USB Attached SCSI (UAS-2), for one logical unit. Commands come in on the command pipe, many at a
/// time, and are executed one after the other, in their order. The tag of a command is the stream of its status and of
/// its data (super speed). Without streams (high speed) READY units say whose data is next, and at most one command
/// has its data under way. usb.md section 8.
///
/// A transfer that is told "not yet" is kept by the caller and offered again after every other call, in its order
/// within its pipe and stream. Everything is bounded: commands and answers by kMostTags, data not kept at all.
///
/// Belongs to one thread.
class Target {
 public:
  /// What of a command's data the host has asked for or sent and not been answered.
  using Offered = std::function<Movement(std::uint16_t tag)>;

  /// More commands and answers at once than any host has under way (Linux: 256 with streams, 32 without).
  static constexpr std::size_t kMostTags = 256;

  /// `unit` must outlive this object.
  explicit Target(LogicalUnit& unit, Offered offered = {}) : unit_(unit), offered_(std::move(offered)) {}

  /// Forgets all commands, without an answer, and starts with `streams` streams, numbered from 1; with 0 streams
  /// without. The logical unit keeps its state.
  void restart(std::uint32_t streams);
  /// A reset of the bus: restart() without streams, and the logical unit's reset.
  void reset();

  /// A unit on the command pipe. A halt is the answer to what cannot be answered on the status pipe: a tag that no
  /// stream has, or answers that nobody fetches.
  usbredir::OutReply command(std::span<const std::byte> bytes);
  /// A request on the status pipe. A unit that is longer than `room` is cut.
  usbredir::InReply status(std::uint32_t stream, std::span<std::byte> room);
  /// A request on the data-in pipe. Data that the command does not have is answered with less, down to nothing.
  usbredir::InReply data_in(std::uint32_t stream, std::span<std::byte> room);
  /// Data on the data-out pipe. It waits for its command. What the command does not want is not taken.
  usbredir::OutReply data_out(std::uint32_t stream, std::span<const std::byte> data);

  /// The logical unit may have something new to say.
  void advance();

 private:
  struct Task {
    std::uint16_t tag = 0;
    std::array<std::byte, 16> block{};
    enum class Phase { queued, data, ending } phase = Phase::queued;
    Direction direction = Direction::none;
    std::uint64_t left = 0;  ///< bytes that the command still moves
  };
  struct Answer {
    std::uint16_t tag = 0;
    bool ready = false;  ///< a READY unit: its command goes on
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] bool may_be_answered(std::uint16_t tag) const;
  [[nodiscard]] bool is_answered(std::uint32_t tag) const;
  [[nodiscard]] bool in_use(std::uint16_t tag) const;
  Task* task_of(std::uint32_t stream);
  void take(const CommandUnit& command);
  void manage(const TaskManagementUnit& unit);
  bool step(Task& task);
  void abort(std::uint16_t tag);
  void abort_all();
  void respond(std::uint16_t tag, Response response);
  [[nodiscard]] bool has_task(std::uint16_t tag) const;
  Task* moving(std::uint32_t stream, Direction direction, bool& waits);
  void moved(Task& task, std::size_t size, bool was_last);

  LogicalUnit& unit_;
  Offered offered_;
  std::uint32_t streams_ = 0;
  std::deque<Task> tasks_;      ///< the first is the one that the logical unit has
  std::deque<Answer> answers_;  ///< not fetched yet
};

}  // namespace usbloop::uas
