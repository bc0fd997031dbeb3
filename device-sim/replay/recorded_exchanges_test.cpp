#include "device-sim/replay/recorded_exchanges.h"

#include <doctest/doctest.h>

#include "common/test_text.h"
#include "device-sim/storage/test_support.h"

using namespace usbloop::device_sim;
using usbloop::device_sim::test::access_10;
using usbloop::device_sim::test::command_wrapper;
using usbloop::testing::contains;

namespace {

using Bytes = std::vector<std::byte>;
using Block = std::vector<std::uint8_t>;

constexpr std::uint8_t kTapeOut = 0x02, kTapeIn = 0x81;
const Block kAskReady(6), kAskSense = {3, 0, 0, 0, 18, 0}, kAllowRemoval = {0x1e, 0, 0, 0, 0, 0},
                          kPreventRemoval = {0x1e, 0, 0, 0, 1, 0};

/// A recording that is written down here; what is said has a byte that tells one exchange from the other.
struct Tape {
  void ask(const Block& block, std::uint8_t answer, std::uint32_t size = 0, std::uint32_t wrong_tag = 0) {
    write(command_wrapper(block, size, true, ++tag));
    if (size > 0) say(Bytes(size, std::byte{answer}));
    say(status(tag + wrong_tag, answer));
  }
  void store(const Block& block, const Bytes& data) {
    write(command_wrapper(block, static_cast<std::uint32_t>(data.size()), false, ++tag));
    write(data);
    say(status(tag, 0));
  }
  static Bytes status(std::uint32_t of, std::uint8_t answer) {
    Bytes bytes(13);
    const std::uint32_t words[] = {0x53425355, of, 0};
    std::memcpy(bytes.data(), words, sizeof words);
    bytes[12] = std::byte{answer};
    return bytes;
  }
  void write(const Bytes& data) {
    recording.transfers[kTapeOut].push_back({data, TransferStatus::success, true, ++record, 0, {}});
  }
  void say(const Bytes& data) {
    recording.transfers[kTapeIn].push_back({data, TransferStatus::success, true, ++record, 5, {}});
  }

  Recording recording;
  std::uint64_t record = 10;
  std::uint32_t tag = 100;
};

/// A guest that gives commands to the exchanges of a tape.
struct Commander {
  explicit Commander(Tape& tape) : exchanges(RecordedExchanges::take(tape.recording, kTapeOut, kTapeIn).value()) {}

  /// The byte of the answer, or where the guest has left the recording.
  std::string give(const Block& block, std::uint32_t size = 0) {
    if (auto wrong = begin(command_wrapper(block, size, true, ++tag)); !wrong.empty()) return wrong;
    std::string answer;
    while (const auto* next = exchanges.next(kTapeIn)) {
      Bytes bytes = next->data;
      exchanges.put_tag(bytes);
      if (bytes.size() == 13) {
        CHECK(usbloop::device_sim::test::word_at(bytes, 4) == tag);
        answer += std::to_string(std::to_integer<int>(bytes[12]));
      }
      exchanges.went_on();
    }
    return answer;
  }
  /// As give(); the data are compared by who replays.
  std::string begin(const Bytes& wrapper) {
    if (const auto wrong = exchanges.begin(wrapper)) return std::to_string(wrong->record) + ": " + wrong->what;
    CHECK(exchanges.at_command());
    exchanges.went_on();
    return {};
  }

  RecordedExchanges exchanges;
  std::uint32_t tag = 9000;
};

}  // namespace

TEST_CASE("what only asks may come again and in another order, and has the tag of the guest's command") {
  Tape tape;
  tape.ask(kAskReady, 1);
  tape.ask(access_10(0x28, 7, 1), 2, 512);
  tape.ask(kAskReady, 3);
  Commander guest(tape);
  CHECK(guest.give(access_10(0x28, 7, 1), 512) == "2");
  CHECK(guest.give(kAskReady) == "3");  // as in the recording, behind the read
  CHECK(guest.give(kAskReady) == "1");  // which has not come
  CHECK(guest.give(kAskReady) == "3");
  CHECK(guest.give(access_10(0x28, 7, 1), 512) == "2");
  CHECK(contains(guest.give(access_10(0x28, 7, 1), 1024), "28 00 00 00 00 07 00 00 01 00 with 1024 bytes, which it "));
}

TEST_CASE("what changes the device comes as recorded, with questions before it or behind it") {
  Tape tape;
  tape.ask(kPreventRemoval, 0);
  tape.ask(kAllowRemoval, 4);
  tape.ask(kAskReady, 5);
  Commander guest(tape);
  CHECK(guest.give(kAllowRemoval) ==
        "11: the guest gives the command 1e 00 00 00 00 00 with 0 bytes, expected the command 1e 00 00 00 01 00 with 0 "
        "bytes");
  CHECK(guest.give(kPreventRemoval) == "0");
  CHECK(guest.give(kAskReady) == "5");
  CHECK(guest.give(kAllowRemoval) == "4");
  CHECK(guest.give(kAskReady) == "5");
  CHECK(contains(guest.give(kAllowRemoval),
                 "0: the guest gives the command 1e 00 00 00 00 00 with 0 bytes, expected nothing"));
}

TEST_CASE("blocks are not read across a write, and questions may cross it") {
  Tape tape;
  tape.ask(access_10(0x28, 7, 1), 1, 512);
  tape.ask(kAskReady, 2);
  tape.store(access_10(0x2a, 7, 1), Bytes(512, std::byte{9}));
  tape.ask(access_10(0x28, 8, 1), 3, 512);
  Commander guest(tape);
  CHECK(contains(guest.give(access_10(0x28, 8, 1), 512), "which it did not between the same writes"));
  CHECK(guest.give(access_10(0x28, 7, 1), 512) == "1");
  CHECK(guest.begin(command_wrapper(access_10(0x2a, 7, 1), 512, false, 1)).empty());
  REQUIRE(guest.exchanges.next(kTapeOut) != nullptr);
  CHECK(guest.exchanges.next(kTapeOut)->data == Bytes(512, std::byte{9}));
  CHECK_FALSE(guest.exchanges.at_command());
  CHECK_FALSE(guest.exchanges.begin(Bytes(512)));  // its data: no command
  guest.exchanges.went_on();
  CHECK(guest.exchanges.next(kTapeIn) != nullptr);
  guest.exchanges.abandon();
  CHECK(guest.exchanges.next(kTapeIn) == nullptr);
  CHECK(contains(guest.give(access_10(0x28, 7, 1), 512), "which it did not between the same writes"));
  CHECK(guest.give(kAskReady) == "2");
  CHECK(guest.give(access_10(0x28, 8, 1), 512) == "3");
}

TEST_CASE("the sense of a command goes with it, and a wrong tag stays wrong") {
  Tape tape;
  tape.ask(access_10(0x28, 7, 1), 1);
  tape.ask(kAskSense, 2, 18);
  tape.ask(kAskReady, 3);
  tape.ask(kAskSense, 4, 18);
  Commander guest(tape);
  CHECK(guest.give(kAskReady) == "3");
  CHECK(guest.give(kAskSense, 18) == "4");
  CHECK(guest.give(access_10(0x28, 7, 1)) == "1");
  CHECK(guest.give(kAskSense, 18) == "2");

  Tape lying;
  lying.ask(kAskReady, 0, 0, 7);
  Commander mistaken(lying);
  CHECK(mistaken.begin(command_wrapper(kAskReady, 0, true, 50)).empty());
  REQUIRE(mistaken.exchanges.next(kTapeIn) != nullptr);
  Bytes answer = mistaken.exchanges.next(kTapeIn)->data;
  mistaken.exchanges.put_tag(answer);
  CHECK(usbloop::device_sim::test::word_at(answer, 4) == 57);
}

TEST_CASE("a recording without a command first is left as it is, and other endpoints do not count commands") {
  Tape tape;
  tape.write(Bytes(31));
  CHECK_FALSE(RecordedExchanges::take(tape.recording, kTapeOut, kTapeIn));
  CHECK(tape.recording.transfers[kTapeOut].size() == 1);

  Tape composite;
  composite.ask(kAskReady, 0);
  composite.recording.transfers[0x83].push_back({Bytes(8), TransferStatus::success, true, ++composite.record, 3, {}});
  CHECK(RecordedExchanges::take(composite.recording, kTapeOut, kTapeIn));
  CHECK(composite.recording.transfers[0x83].front().acts == 2);
  CHECK_FALSE(composite.recording.transfers.contains(kTapeOut));
  CHECK_FALSE(composite.recording.transfers.contains(kTapeIn));
}
