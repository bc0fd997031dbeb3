#include "client/translation/block_limits.h"

#include <algorithm>
#include <array>
#include <utility>

namespace usbloop::client {
namespace {

using uas::Direction;
using uas::Movement;
using uas::Outcome;

constexpr std::byte kPageInquiry{0x12};
constexpr std::uint8_t kSupportedPages = 0x00, kBlockLimits = 0xb0;
constexpr std::size_t kPageHeader = 4, kAskedFor = 255;
// Fields of Block Limits (SBC-3, table 206).
constexpr std::size_t kGranularity = 6, kMaximum = 8, kOptimal = 12, kShortestLimits = 16, kLimitsSize = 64;

std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.subspan(at, size)) value = value << 8 | std::to_integer<std::uint8_t>(byte);
  return value;
}

void put_number(std::span<std::byte> bytes, std::size_t at, std::size_t size, std::uint64_t value) {
  for (std::size_t index = size; index-- > 0; value >>= 8) bytes[at + index] = static_cast<std::byte>(value);
}

/// Which of the two pages `block` asks for.
std::optional<std::uint8_t> page_of(std::span<const std::byte, 16> block) {
  if (block[0] != kPageInquiry || block[1] != std::byte{1}) return std::nullopt;
  const auto page = std::to_integer<std::uint8_t>(block[2]);
  return page == kSupportedPages || page == kBlockLimits ? std::optional(page) : std::nullopt;
}

bool is_illegal_request(const Outcome& outcome) {
  constexpr std::byte kIllegalRequest{5};
  return outcome.status == Outcome::kCheckCondition && outcome.sense.size() > 2 &&
         (outcome.sense[2] & std::byte{0x0f}) == kIllegalRequest;
}

}  // namespace

std::optional<Movement> BlockLimits::begin(std::span<const std::byte, 16> block, const Movement& offered) {
  const auto page = page_of(block);
  if (!page || offered.direction != Direction::in || offered.bytes == 0) return unit_.begin(block, offered);
  std::array<std::byte, 16> wide{};
  std::copy(block.begin(), block.end(), wide.begin());
  put_number(wide, 3, 2, kAskedFor);
  if (!unit_.begin(wide, {Direction::in, kAskedFor})) return std::nullopt;
  page_ = page;
  allocation_ = static_cast<std::size_t>(number_at(block, 3, 2));
  fetched_ = false;
  answer_.clear();
  used_ = 0;
  outcome_.reset();
  return Movement{Direction::in, offered.bytes};
}

/// Has the disk's whole answer; false: not yet.
bool BlockLimits::fetch() {
  if (outcome_) return true;
  if (!fetched_) {
    answer_.resize(kAskedFor);
    const auto size = unit_.produce(answer_);
    if (!size) return false;
    answer_.resize(*size);
    fetched_ = true;
  }
  outcome_ = unit_.end();
  if (!outcome_) return false;
  complete();
  answer_.resize(std::min(answer_.size(), allocation_));
  return true;
}

/// A disk that ignores the request for a page gives another page, or the standard answer.
void BlockLimits::complete() {
  const bool is_page = outcome_->status == Outcome::kGood && answer_.size() >= kPageHeader &&
                       answer_[1] == static_cast<std::byte>(*page_);
  if (*page_ == kSupportedPages) {
    if (is_page) complete_list();
    return;
  }
  const bool is_good = outcome_->status == Outcome::kGood;
  if (!is_page && is_missing_ && (is_good || is_illegal_request(*outcome_))) {
    outcome_ = Outcome{};
    answer_.assign(kLimitsSize, std::byte{0});
    answer_[1] = static_cast<std::byte>(kBlockLimits);
    put_number(answer_, 2, 2, kLimitsSize - kPageHeader);
    return complete_limits();
  }
  if (is_page && answer_.size() >= kShortestLimits) complete_limits();
}

void BlockLimits::complete_list() {
  const auto length = static_cast<std::size_t>(number_at(answer_, 2, 2));
  if (answer_.size() < kPageHeader + length) return;  // cut, or nonsense
  const auto begin = answer_.begin() + kPageHeader;
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  const auto place = std::find_if(begin, end, [](std::byte page) { return page >= std::byte{kBlockLimits}; });
  is_missing_ = place == end || *place != std::byte{kBlockLimits};
  if (!is_missing_) return;
  answer_.erase(end, answer_.end());
  answer_.insert(place, std::byte{kBlockLimits});
  put_number(answer_, 2, 2, length + 1);
}

void BlockLimits::complete_limits() {
  const std::uint64_t block_size = block_size_();
  std::uint64_t optimal = kOptimalTransfer / (block_size == 0 ? 512 : block_size);
  if (const auto maximum = number_at(answer_, kMaximum, 4); maximum != 0) optimal = std::min(optimal, maximum);
  if (const auto granularity = number_at(answer_, kGranularity, 2); granularity != 0) optimal -= optimal % granularity;
  if (optimal > number_at(answer_, kOptimal, 4)) put_number(answer_, kOptimal, 4, optimal);
}

std::optional<std::size_t> BlockLimits::produce(std::span<std::byte> room) {
  if (!page_) return unit_.produce(room);
  if (!fetch()) return std::nullopt;
  const std::size_t size = std::min(room.size(), answer_.size() - used_);
  std::copy_n(answer_.begin() + static_cast<std::ptrdiff_t>(used_), size, room.begin());
  used_ += size;
  return size;
}

std::optional<Outcome> BlockLimits::end() {
  if (!page_) return unit_.end();
  if (!fetch()) return std::nullopt;
  page_.reset();
  return std::exchange(outcome_, std::nullopt);
}

void BlockLimits::abort() {
  const bool is_at_unit = !page_ || !outcome_;
  page_.reset();
  outcome_.reset();
  if (is_at_unit) unit_.abort();
}

}  // namespace usbloop::client
