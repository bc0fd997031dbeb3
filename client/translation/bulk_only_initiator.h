#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "client/translation/stick_link.h"
#include "uas/logical_unit.h"

namespace usbloop::client {

/// The host's side of Bulk-Only Transport (usbmassbulk_10), as the logical unit of a UAS target: each command goes to
/// the stick as it is, and its data and status come back as the stick gave them.
///
/// - A command has ended when the stick's status wrapper says so, nothing earlier. So a flush that is acknowledged has
///   been done by the stick, as far as the stick tells the truth.
/// - A command that failed is followed by REQUEST SENSE at once; its answer goes with the status.
/// - The residue of the status wrapper shortens the data.
/// - A stick that breaks the transport is recovered as the specification says (5.3.4): its reset, both halts cleared;
///   a reset of the bus when that fails. The command ends with ABORTED COMMAND, which a host repeats. The same happens
///   to a command that is aborted, and the next one waits for it.
class BulkOnlyInitiator final : public uas::LogicalUnit {
 public:
  /// `link` is ready, and must outlive this object.
  explicit BulkOnlyInitiator(StickLink& link) : link_(link) {}

  std::optional<uas::Movement> begin(std::span<const std::byte, 16> block, const uas::Movement& offered) override;
  std::optional<std::size_t> produce(std::span<std::byte> room) override;
  std::optional<std::size_t> accept(std::span<const std::byte> data) override;
  std::optional<uas::Outcome> end() override;
  void abort() override;
  /// Nothing: a stick with no command at hand is in its power-on state, as far as this transport is concerned.
  void reset() override {}

  /// Brings the transport back to where the next command can come, whatever has been sent past this object.
  void recover();
  [[nodiscard]] bool recovering() const { return recovering_; }
  /// Bytes, as the stick has told the guest; 0: the guest has not asked yet.
  [[nodiscard]] std::uint64_t block_size() const { return block_size_; }

 private:
  enum class Stage {
    idle,
    command,  ///< the command wrapper is on its way
    waiting,  ///< for the Target's data, or for its room for data
    data,     ///< data is on its way
    moved,    ///< data has moved, and more is to come
    status,   ///< the status wrapper is on its way, or the answer to REQUEST SENSE
    over      ///< the outcome is known, and end() has not taken it
  };
  using Handler = void (BulkOnlyInitiator::*)(const TransferEnd& end);

  /// A callback for the end of a transfer of the command at hand; it does nothing when that has been given up.
  StickLink::Done then(Handler handler);
  [[nodiscard]] std::optional<uas::Movement> movement_of(std::span<const std::byte, 16> block,
                                                         const uas::Movement& offered) const;
  void send_command(std::span<const std::byte> block, uas::Movement movement, Handler next);
  void command_ended(const TransferEnd& end);
  void data_ended(TransferEnd end, std::size_t wanted);
  void ask_status();
  void halt_cleared(const TransferEnd& end);
  void status_ended(const TransferEnd& end);
  void conclude(std::uint8_t status, std::uint32_t residue);
  void sense_commanded(const TransferEnd& end);
  void sense_ended(const TransferEnd& end);
  void learn_block_size();
  std::size_t hand_over(std::span<std::byte> room, std::size_t size);
  void finish(uas::Outcome outcome);
  static uas::Outcome aborted();
  void break_off();
  void transport_reset(const TransferEnd& end);
  void in_cleared(const TransferEnd& end);
  void recovered(const TransferEnd& end);

  StickLink& link_;
  Stage stage_ = Stage::idle;
  bool recovering_ = false;
  std::uint64_t current_ = 0;  ///< the bulk transfer on its way; 0: none
  std::uint64_t turn_ = 0;     ///< counts commands and recoveries
  std::uint32_t tag_ = 0;
  std::array<std::byte, 16> block_{};
  uas::Movement movement_;            ///< what the command was sent with
  std::uint64_t moved_ = 0;           ///< bytes that the Target has had of it
  std::optional<TransferEnd> piece_;  ///< the data that has moved since
  std::size_t piece_used_ = 0;        ///< bytes of it that the Target has had
  std::uint64_t whole_ = 0;           ///< the command's data without the residue, when it is over
  bool asked_again_ = false;          ///< for the status wrapper
  bool sensing_ = false;              ///< the command on its way is our REQUEST SENSE
  usbredir::Payload sense_;
  std::optional<uas::Outcome> outcome_;
  bool ignores_residue_ = false;  ///< the stick has been seen to give wrong ones
  std::uint64_t block_size_ = 0;
};

}  // namespace usbloop::client
