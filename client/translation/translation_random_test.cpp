// A stick behind its translation, against the same disk without any transport: thousands of random commands, with
// aborts, resets, cuts of the connection and a stick that breaks the transport now and then.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "client/translation/translation_rig.h"
#include "device-sim/storage/disk_unit.h"

using namespace usbloop;
using client::testing::FaultyStick;
using client::testing::TranslatedDesk;
using device_sim::kBlockSize;
using device_sim::test::access_10;
using device_sim::test::Reply;

namespace {

constexpr std::size_t kBlocks = 512;
constexpr std::uint16_t kTags = 12;  // for commands; the others are for task management
constexpr std::uint16_t kManagementTag = 16;

const std::vector<std::uint8_t> kTestUnitReadyBlock(6);
const std::vector<std::uint8_t> kFlushBlock = {0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/// Knows what of it has been flushed.
class DurableStore final : public device_sim::BlockStore {
 public:
  [[nodiscard]] std::uint64_t size() const override { return bytes.size(); }
  [[nodiscard]] bool read_only() const override { return false; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }
  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override {
    std::copy(from.begin(), from.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }
  Result<> flush() override {
    durable = bytes;
    return {};
  }

  std::vector<std::byte> bytes = std::vector<std::byte>(kBlocks * kBlockSize);
  std::vector<std::byte> durable = bytes;
};

struct Command {
  std::uint16_t tag = 0;
  std::vector<std::uint8_t> block = {};
  std::size_t room = 0;                 ///< for data of the disk
  std::vector<std::byte> data = {};     ///< for the disk
  std::uint64_t status = 0, moved = 0;  ///< ids of the transfers; 0: none
};

/// What a command gives.
struct Answer {
  std::uint8_t status = 0;
  std::vector<std::byte> sense;
  std::vector<std::byte> data;
  std::size_t taken = 0;
};

/// The disk as it is without a transport.
struct Reference {
  DurableStore store;
  device_sim::ScsiDisk disk{store,
                            {.vendor = "Kingston", .product = "DataTraveler 3.0", .revision = "PMAP", .serial = ""}};
  device_sim::DiskUnit unit{disk};

  Answer run(const Command& command) {
    std::array<std::byte, 16> block{};
    std::copy_n(std::as_bytes(std::span(command.block)).begin(), command.block.size(), block.begin());
    const auto movement = unit.begin(block, {}).value();
    Answer answer;
    if (movement.direction == uas::Direction::in) {
      answer.data.resize(std::min<std::size_t>(movement.bytes, command.room));
      answer.data.resize(unit.produce(answer.data).value());
    } else if (movement.direction == uas::Direction::out) {
      answer.taken = unit.accept(command.data).value();
    }
    const auto outcome = unit.end().value();
    answer.status = outcome.status;
    answer.sense = outcome.sense;
    return answer;
  }
};

class Comparison {
 public:
  Comparison(unsigned seed, usbredir::Speed speed) : random_(seed), speed_(speed) {
    for (std::size_t at = 0; at < store_.bytes.size(); ++at) store_.bytes[at] = static_cast<std::byte>(random_());
    reference_.store.bytes = store_.bytes;
    plug_in();
  }

  void run(int operations) {
    for (int done = 0; done < operations; ++done) step();
    settle();
    CHECK(store_.bytes == reference_.store.bytes);
    CHECK(failures_ <= faults_);
  }

  int compared = 0, flushes = 0, aborts = 0, resets = 0, cuts = 0;

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  void step() {
    const unsigned what = below(100);
    if (what < 60) {
      submit();
    } else if (what < 85) {
      desk_->slow->allow(below(9000));
      carry();
    } else if (what < 90) {
      settle();
    } else if (what < 93) {
      abort_one();
    } else if (what < 95) {
      desk_->slow->stop();
      manage(uas::TaskManagementUnit::kLogicalUnitReset, 0);
      forget_all();
      ++resets;
    } else if (what < 97) {
      reset_bus();
    } else if (what < 98) {
      desk_->slow->stop();
      forget_all();
      plug_in();
      ++cuts;
    } else {
      using Fault = FaultyStick::Fault;
      constexpr Fault kFaults[] = {Fault::wrong_tag,    Fault::wrong_signature, Fault::phase_error,
                                   Fault::empty_before, Fault::stalls,          Fault::short_status};
      stick_->fault = kFaults[below(6)];
      ++faults_;
    }
  }

  /// A new connection to the stick, whose memory has stayed.
  void plug_in() {
    auto stick = std::make_unique<FaultyStick>(store_, speed_);
    stick_ = stick.get();
    desk_ = std::make_unique<TranslatedDesk>(std::move(stick));
    replies_.clear();
    desk_->attach();
    desk_->slow->hurry(false);
  }

  [[nodiscard]] bool flush_waits() const {
    return std::any_of(commands_.begin(), commands_.end(),
                       [](const Command& command) { return command.block == kFlushBlock; });
  }

  Command make(std::uint16_t tag) {
    const auto count = static_cast<std::uint16_t>(1 + below(16));
    const std::uint32_t first = below(20) == 0 ? kBlocks - 4 : below(kBlocks - 16);  // some run over the end
    const std::size_t size = count * std::size_t{kBlockSize};
    switch (below(12)) {
      case 0: return {tag, kTestUnitReadyBlock};
      case 1:
        // One at a time: what is durable is looked at when it has ended, and must be of this one.
        return {tag, flush_waits() ? kTestUnitReadyBlock : kFlushBlock};
      case 2: return {tag, {0x12, 0, 0, 0, 36, 0}, 36};
      case 3: return {tag, {0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8};
      case 4: return {tag, {0x1a, 0, 0x3f, 0, 192, 0}, 192};
      case 5: return {tag, {static_cast<std::uint8_t>(0xc0 + below(64))}, below(2) * 64};
      case 6:
      case 7:
      case 8: {
        Command write{tag, access_10(0x2a, first, count), 0, std::vector<std::byte>(size)};
        for (auto& byte : write.data) byte = static_cast<std::byte>(random_());
        return write;
      }
      default: return {tag, access_10(0x28, first, count), size};
    }
  }

  void submit() {
    std::vector<std::uint16_t> free;
    for (std::uint16_t tag = 1; tag <= kTags; ++tag) {
      const bool used = std::any_of(commands_.begin(), commands_.end(), [&](const Command& c) { return c.tag == tag; });
      if (!used) free.push_back(tag);
    }
    if (free.empty()) return settle();
    Command command = make(free[below(static_cast<unsigned>(free.size()))]);
    // A guest asks in this order; another may send the command first.
    const bool command_first = below(10) == 0 && (command.block[0] == 0x28 || command.block[0] == 0x2a);
    if (command_first) desk_->command(command.tag, command.block);
    command.status = desk_->status(command.tag);
    if (command.room > 0) command.moved = desk_->in(uas::kDataInEndpoint, command.room, command.tag);
    if (!command.data.empty()) command.moved = desk_->out(uas::kDataOutEndpoint, command.data, command.tag);
    if (!command_first) desk_->command(command.tag, command.block);
    commands_.push_back(std::move(command));
    carry();
  }

  /// Carries what may be carried, and looks at what has ended.
  void carry() {
    desk_->exchange();
    for (Reply& reply : desk_->guest.replies) {
      REQUIRE(replies_.emplace(reply.id, std::move(reply)).second);  // no answer twice
    }
    desk_->guest.replies.clear();
    while (!commands_.empty() && replies_.contains(commands_.front().status)) {
      compare(commands_.front());
      commands_.pop_front();
    }
    for (const Command& command : commands_) REQUIRE_FALSE(replies_.contains(command.status));  // in order
  }

  void compare(const Command& command) {
    const auto& unit = replies_.at(command.status).data;
    REQUIRE(unit.size() >= 16);
    const std::vector<std::byte> sense(unit.begin() + 16, unit.end());
    const Answer expected = reference_.run(command);
    if (!sense.empty() && sense.at(2) == std::byte{0x0b}) {
      ++failures_;  // the transport was broken, with the status, when the data had moved: the host may repeat it
      return;
    }
    CAPTURE(command.block[0]);
    REQUIRE(unit[6] == std::byte{expected.status});
    REQUIRE(sense == expected.sense);
    if (command.room > 0) REQUIRE(replies_.at(command.moved).data == expected.data);
    if (!command.data.empty()) REQUIRE(replies_.at(command.moved).length == expected.taken);
    if (command.block[0] == 0x35) {
      REQUIRE(store_.durable == reference_.store.bytes);
      ++flushes;
    }
    ++compared;
  }

  /// A write that may or may not have been done: what counts is what is there now.
  void adopt(const Command& command) {
    if (command.data.empty()) return;
    const std::size_t first = std::size_t{command.block[4]} << 8 | command.block[5];
    const auto from = static_cast<std::ptrdiff_t>(first * kBlockSize);
    const auto size =
        static_cast<std::ptrdiff_t>(std::min(command.data.size(), store_.bytes.size() - first * kBlockSize));
    std::copy_n(store_.bytes.begin() + from, size, reference_.store.bytes.begin() + from);
  }

  void settle() {
    desk_->slow->hurry(true);
    carry();
    REQUIRE(commands_.empty());
    desk_->slow->hurry(false);
  }

  void manage(std::uint8_t function, std::uint16_t tag) {
    const auto response = desk_->status(kManagementTag);
    desk_->out(uas::kCommandEndpoint, uas::test::task_unit(kManagementTag, function, tag));
    carry();
    REQUIRE(replies_.contains(response));
    REQUIRE(replies_.at(response).data == uas::test::bytes({4, 0, 0, kManagementTag, 0, 0, 0, 0}));
  }

  /// As a host does that gives a command up: its transfers too.
  void cancel_transfers(const Command& command) {
    desk_->guest.parser.send_cancel_data_packet(command.status);
    if (command.moved != 0) desk_->guest.parser.send_cancel_data_packet(command.moved);
  }

  void abort_one() {
    if (commands_.empty()) return;
    desk_->slow->stop();
    const auto index = static_cast<std::ptrdiff_t>(below(static_cast<unsigned>(commands_.size())));
    const Command command = commands_[static_cast<std::size_t>(index)];
    commands_.erase(commands_.begin() + index);
    manage(uas::TaskManagementUnit::kAbortTask, command.tag);
    cancel_transfers(command);
    carry();
    adopt(command);
    ++aborts;
  }

  void forget_all() {
    for (const Command& command : commands_) cancel_transfers(command);
    const auto given_up = std::exchange(commands_, {});
    carry();
    for (const Command& command : given_up) adopt(command);
  }

  void reset_bus() {
    desk_->slow->stop();
    const auto given_up = std::exchange(commands_, {});
    for (const Command& command : given_up) cancel_transfers(command);
    desk_->attach();
    replies_.clear();
    for (const Command& command : given_up) adopt(command);
    ++resets;
  }

  std::mt19937 random_;
  const usbredir::Speed speed_;
  DurableStore store_;
  Reference reference_;
  FaultyStick* stick_ = nullptr;
  std::unique_ptr<TranslatedDesk> desk_;
  std::deque<Command> commands_;  ///< not ended, in the order in which they were sent
  std::map<std::uint64_t, Reply> replies_;
  int faults_ = 0, failures_ = 0;
};

}  // namespace

TEST_CASE("a translated stick of high and of super speed is the same disk: 10000 random operations") {
  int compared = 0, flushes = 0, aborts = 0, resets = 0, cuts = 0;
  for (unsigned seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Comparison comparison(seed, seed % 2 == 0 ? usbredir::Speed::super : usbredir::Speed::high);
    comparison.run(1000);
    compared += comparison.compared;
    flushes += comparison.flushes;
    aborts += comparison.aborts;
    resets += comparison.resets;
    cuts += comparison.cuts;
  }
  MESSAGE(compared << " compared, " << flushes << " flushes, " << aborts << " aborts, " << resets << " resets, " << cuts
                   << " cuts");
  CHECK(compared > 3000);
  CHECK(flushes > 200);
  CHECK(aborts > 50);
  CHECK(resets > 100);
  CHECK(cuts > 50);
}
