#include "device-sim/replay/recorded_exchanges.h"

#include <algorithm>
#include <utility>

#include "device-sim/storage/storage_command.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

bool same_key(std::span<const std::byte> one, std::span<const std::byte> other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

/// How many of `all`, which are in the order of their records, come before `record`.
std::uint64_t count_before(const std::vector<RecordedTransfer>& all, std::uint64_t record) {
  const auto end = std::lower_bound(all.begin(), all.end(), record,
                                    [](const RecordedTransfer& one, std::uint64_t at) { return one.record < at; });
  return static_cast<std::uint64_t>(end - all.begin());
}

}  // namespace

std::vector<RecordedExchanges> RecordedExchanges::take_all(Recording& recording,
                                                           const usbredir::Configuration& configuration) {
  constexpr std::uint8_t kMassStorage = 8, kBulkOnly = 0x50;
  std::vector<RecordedExchanges> all;
  for (const auto& setting : configuration.settings) {
    if (setting.interface_class != kMassStorage || setting.interface_protocol != kBulkOnly) continue;
    std::optional<std::uint8_t> in, out;
    for (const auto& endpoint : setting.endpoints) {
      if (endpoint.type == usbredir::TransferType::bulk) ((endpoint.address & 0x80) != 0 ? in : out) = endpoint.address;
    }
    if (!in || !out) continue;
    if (auto found = take(recording, *out, *in)) all.push_back(std::move(*found));
  }
  return all;
}

std::optional<RecordedExchanges> RecordedExchanges::take(Recording& recording, std::uint8_t out, std::uint8_t in) {
  const auto written = recording.transfers.find(out);
  if (written == recording.transfers.end() || !is_command_wrapper(written->second.front().data)) return std::nullopt;
  for (auto& [endpoint, transfers] : recording.transfers) {
    if (endpoint == in || (endpoint & 0x80) == 0) continue;
    for (auto& transfer : transfers) {
      transfer.acts -= std::min(transfer.acts, count_before(written->second, transfer.record));
    }
  }
  std::vector<Part> parts;
  for (const std::uint8_t endpoint : {out, in}) {
    auto node = recording.transfers.extract(endpoint);
    if (node.empty()) continue;
    for (auto& transfer : node.mapped()) parts.push_back({endpoint, std::move(transfer)});
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& one, const Part& other) { return one.transfer.record < other.transfer.record; });
  RecordedExchanges result(out, in);
  for (Part& part : parts) {
    part.transfer.acts = 0;
    if (part.endpoint == out && is_command_wrapper(part.transfer.data)) {
      result.exchanges_.push_back({command_key(part.transfer.data), {}, false});
    }
    // What the device says before the first command answers none.
    if (!result.exchanges_.empty()) result.exchanges_.back().parts.push_back(std::move(part));
  }
  return result;
}

/// The first exchange that changes the device and has not come; behind the last one when all have.
std::size_t RecordedExchanges::next_act() const {
  std::size_t place = acts_done_;
  while (place < exchanges_.size() && only_asks(exchanges_[place].key)) ++place;
  return place;
}

std::optional<std::size_t> RecordedExchanges::find(std::span<const std::byte> key) const {
  if (only_asks(key)) return find_question(key);
  const std::size_t act = next_act();
  if (act < exchanges_.size() && same_key(exchanges_[act].key, key)) return act;
  return std::nullopt;
}

/// The exchange behind the last one, as in the recording; else one that has not come since the last act; else the last
/// one before the next act; else the first one behind it.
std::optional<std::size_t> RecordedExchanges::find_question(std::span<const std::byte> key) const {
  const bool is_bound = reads_blocks(key);
  const auto matches = [&](std::size_t at) { return same_key(exchanges_[at].key, key); };
  const std::size_t act = next_act();
  const std::size_t follower = last_ ? *last_ + 1 : 0;
  if (follower >= acts_done_ && follower < act && matches(follower)) return follower;
  // What REQUEST SENSE says belongs to the command before it, wherever that was found.
  if (asks_for_sense(key) && follower < exchanges_.size() && matches(follower)) return follower;
  for (std::size_t at = acts_done_; at < act; ++at) {
    if (!exchanges_[at].used && matches(at)) return at;
  }
  for (std::size_t at = act; at > 0; --at) {
    if (is_bound && carries_data(exchanges_[at - 1].key)) break;
    if (matches(at - 1)) return at - 1;
  }
  for (std::size_t at = act; at < exchanges_.size(); ++at) {
    if (is_bound && carries_data(exchanges_[at].key)) break;
    if (matches(at)) return at;
  }
  return std::nullopt;
}

RecordedExchanges::Stray RecordedExchanges::stray(std::span<const std::byte> key) const {
  const std::string came = "the guest gives " + command_text(key);
  const std::size_t act = next_act();
  if (only_asks(key)) {
    const std::size_t place = last_ ? *last_ + 1 : 0;
    const std::string unknown = came + ", which it did not " + (reads_blocks(key) ? "between the same writes" : "then");
    return {place < exchanges_.size() ? exchanges_[place].record() : 0, unknown};
  }
  if (act >= exchanges_.size()) return {0, came + ", expected nothing more that changes the device"};
  return {exchanges_[act].record(), came + ", expected " + command_text(exchanges_[act].key)};
}

std::optional<RecordedExchanges::Stray> RecordedExchanges::begin(std::span<const std::byte> data) {
  if (next(out_) != nullptr && (part_ > 0 || !is_command_wrapper(data))) return std::nullopt;
  if (!is_command_wrapper(data)) {
    const std::size_t place = last_ ? *last_ + 1 : 0;
    return Stray{place < exchanges_.size() ? exchanges_[place].record() : 0,
                 "the guest writes " + std::to_string(data.size()) + " bytes, expected a command wrapper"};
  }
  const auto key = command_key(data);
  // A command that the device did not take is offered again.
  if (next(out_) != nullptr && part_ == 0 && same_key(exchanges_[*current_].key, key)) return std::nullopt;
  const auto found = find(key);
  if (!found) return stray(key);
  start(*found, data);
  return std::nullopt;
}

void RecordedExchanges::start(std::size_t place, std::span<const std::byte> command) {
  Exchange& exchange = exchanges_[place];
  if (!only_asks(exchange.key)) acts_done_ = place + 1;
  exchange.used = true;
  current_ = last_ = place;
  part_ = 0;
  tag_ = wrapper_tag(command);
}

const RecordedTransfer* RecordedExchanges::next(std::uint8_t endpoint) const {
  if (!current_ || part_ >= exchanges_[*current_].parts.size()) return nullptr;
  const Part& part = exchanges_[*current_].parts[part_];
  return part.endpoint == endpoint ? &part.transfer : nullptr;
}

bool RecordedExchanges::at_command() const { return next(out_) != nullptr && part_ == 0; }

void RecordedExchanges::went_on() { ++part_; }

void RecordedExchanges::put_tag(std::span<std::byte> answer) const {
  if (!current_ || !is_status_wrapper(answer)) return;
  // A tag that was wrong then is as wrong now.
  const std::uint32_t then = wrapper_tag(exchanges_[*current_].parts.front().transfer.data);
  set_wrapper_tag(answer, tag_ + (wrapper_tag(answer) - then));
}

}  // namespace usbloop::device_sim
