#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "uas/logical_unit.h"

namespace usbloop::client {

/// A disk that tells its host to read far ahead, because the way to it is long. Every command goes to the disk behind
/// it as it came, but for two pages of vital product data (SPC-4, 7.8; SBC-3, 6.5.3), whose answers are completed:
///
/// - *Block Limits*: an OPTIMAL TRANSFER LENGTH below 1 MiB becomes 1 MiB, or what the disk's own limits allow. Linux
///   reads twice that ahead, where it reads 128 KiB from a disk that says nothing, which is all that is under way then.
/// - *Supported VPD Pages*: lists that page. A disk that gives the list but has not the page is given one with
///   nothing else in it. A disk that has no such list is left alone: no host would believe it.
///
/// For these two, the disk is asked for 255 bytes whatever the host has room for. Thread rule as LogicalUnit.
class BlockLimits final : public uas::LogicalUnit {
 public:
  static constexpr std::uint64_t kOptimalTransfer = 1 << 20;  ///< bytes

  /// `unit` must outlive this object. `block_size`: of the disk in bytes; 0: not known, which counts as 512.
  BlockLimits(uas::LogicalUnit& unit, std::function<std::uint64_t()> block_size)
      : unit_(unit), block_size_(std::move(block_size)) {}

  std::optional<uas::Movement> begin(std::span<const std::byte, 16> block, const uas::Movement& offered) override;
  std::optional<std::size_t> produce(std::span<std::byte> room) override;
  std::optional<std::size_t> accept(std::span<const std::byte> data) override { return unit_.accept(data); }
  std::optional<uas::Outcome> end() override;
  void abort() override;
  void reset() override { unit_.reset(); }

 private:
  bool fetch();
  void complete();
  void complete_list();
  void complete_limits();

  uas::LogicalUnit& unit_;
  const std::function<std::uint64_t()> block_size_;
  bool is_missing_ = false;           ///< the disk's own list has not the page
  std::optional<std::uint8_t> page_;  ///< which of the two the command at hand asks for; nothing: another command
  std::size_t allocation_ = 0;        ///< what the host has room for
  bool fetched_ = false;              ///< the disk's answer is here
  std::vector<std::byte> answer_;
  std::size_t used_ = 0;                 ///< bytes of it that the host has had
  std::optional<uas::Outcome> outcome_;  ///< of the disk, and completed
};

}  // namespace usbloop::client
