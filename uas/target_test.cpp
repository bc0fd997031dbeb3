#include "uas/target.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "uas/test_support.h"

using namespace usbloop::uas;
using usbloop::uas::test::command_unit;
using usbloop::uas::test::task_unit;
using usbloop::usbredir::InReply;
using usbloop::usbredir::OutReply;
using usbloop::usbredir::TransferStatus;

namespace {

constexpr std::uint8_t kNothing = 0, kRead = 1, kWrite = 2, kFail = 3;

/// Operation 1 moves block[1] bytes in, 2 out, 0 none, 3 fails. Everything is "not yet" while `busy`.
struct ScriptedUnit final : LogicalUnit {
  std::optional<Movement> begin(std::span<const std::byte, 16> block, const Movement& given) override {
    if (busy) return std::nullopt;
    offered = given;
    operation = std::to_integer<std::uint8_t>(block[0]);
    log += "begin" + std::to_string(operation) + " ";
    const auto size = std::to_integer<std::uint64_t>(block[1]);
    return Movement{operation == kRead ? Direction::in : operation == kWrite ? Direction::out : Direction::none, size};
  }
  std::optional<std::size_t> produce(std::span<std::byte> room) override {
    if (busy) return std::nullopt;
    const std::size_t size = std::min(room.size(), most);
    std::fill_n(room.begin(), size, std::byte{0x5a});
    log += "produce" + std::to_string(size) + " ";
    return size;
  }
  std::optional<std::size_t> accept(std::span<const std::byte> data) override {
    if (busy) return std::nullopt;
    const std::size_t size = std::min(data.size(), most);
    log += "accept" + std::to_string(size) + " ";
    return size;
  }
  std::optional<Outcome> end() override {
    if (busy) return std::nullopt;
    log += "end ";
    if (operation == kFail) return Outcome{Outcome::kCheckCondition, fixed_sense(3, 0x11, 0)};
    return Outcome{};
  }
  void abort() override { log += "abort "; }
  void reset() override { log += "reset "; }

  bool busy = false;
  std::size_t most = 1000;
  std::uint8_t operation = 0;
  Movement offered;
  std::string log;
};

struct Bus {
  explicit Bus(std::uint32_t streams) { target.restart(streams); }

  OutReply command(std::uint16_t tag, std::uint8_t operation, std::uint8_t size = 0) {
    return target.command(command_unit(tag, {operation, size}));
  }
  OutReply task(std::uint16_t tag, std::uint8_t function, std::uint16_t managed = 0) {
    return target.command(task_unit(tag, function, managed));
  }
  InReply in(std::uint32_t stream, std::size_t size) { return target.data_in(stream, std::span(room).first(size)); }
  OutReply out(std::uint32_t stream, std::size_t size) {
    return target.data_out(stream, std::span<const std::byte>(room).first(size));
  }
  /// The next unit on the status pipe: "status TAG STATUS", "response TAG CODE", "read TAG", "write TAG", "-".
  std::string status(std::uint32_t stream = 0) {
    const auto reply = target.status(stream, room);
    if (reply.kind != InReply::Kind::data) return "-";
    const auto at = [this](std::size_t index) { return std::to_integer<int>(room[index]); };
    const std::string tag = std::to_string(at(2) << 8 | at(3));
    switch (at(0)) {
      case 3: return "status " + tag + " " + std::to_string(at(6));
      case 4: return "response " + tag + " " + std::to_string(at(7));
      case 6: return "read " + tag;
      case 7: return "write " + tag;
      default: return "?";
    }
  }

  ScriptedUnit unit;
  std::map<std::uint16_t, Movement> waiting;
  Target target{unit, [this](std::uint16_t tag) { return waiting[tag]; }};
  std::vector<std::byte> room = std::vector<std::byte>(512);
};

constexpr auto kNotYet = InReply::Kind::not_yet;

}  // namespace

TEST_CASE("with streams: requests that come before their command wait for it, and there is no READY unit") {
  Bus bus(16);
  CHECK(bus.status(3) == "-");
  CHECK(bus.in(3, 100).kind == kNotYet);
  CHECK_FALSE(bus.out(4, 100).done);
  CHECK(bus.command(3, kRead, 100).done);
  CHECK(bus.status(3) == "-");
  CHECK(bus.in(3, 100).size == 100);
  CHECK(bus.status(4) == "-");
  CHECK(bus.status(3) == "status 3 0");
  CHECK(bus.status(3) == "-");
  bus.command(4, kWrite, 100);
  CHECK(bus.out(4, 100).size == 100);
  CHECK(bus.status(4) == "status 4 0");
  CHECK(bus.unit.log == "begin1 produce100 end begin2 accept100 end ");
}

TEST_CASE("with streams: many commands are kept and executed in their order, whatever data comes first") {
  Bus bus(16);
  for (std::uint16_t tag = 1; tag <= 16; ++tag) REQUIRE(bus.command(tag, tag % 2 == 0 ? kRead : kWrite, 50).done);
  CHECK(bus.in(2, 50).kind == kNotYet);
  CHECK(bus.out(1, 50).size == 50);
  CHECK(bus.in(2, 50).size == 50);
  CHECK(bus.status(2) == "status 2 0");
  CHECK(bus.status(1) == "status 1 0");
  CHECK(bus.in(4, 50).kind == kNotYet);
  CHECK(bus.status(4) == "-");
}

TEST_CASE("with streams: the logical unit hears what the host has offered") {
  Bus bus(16);
  bus.waiting[5] = {Direction::in, 4096};
  bus.command(5, kRead, 100);
  CHECK(bus.unit.offered == Movement{Direction::in, 4096});
}

TEST_CASE("without streams: READY units say whose data is next, one at a time") {
  Bus bus(0);
  bus.command(1, kRead, 60);
  bus.command(2, kWrite, 70);
  bus.command(300, kNothing);
  CHECK(bus.status() == "read 1");
  CHECK(bus.status() == "-");
  CHECK(bus.in(0, 60).size == 60);
  CHECK(bus.status() == "status 1 0");
  CHECK(bus.status() == "write 2");
  CHECK(bus.in(0, 60).kind == InReply::Kind::stall);
  CHECK(bus.out(0, 70).size == 70);
  CHECK(bus.status() == "status 2 0");
  CHECK(bus.status() == "status 300 0");
  CHECK(bus.out(0, 70).status == TransferStatus::stall);
}

TEST_CASE("data in pieces, more room than data, and a last empty packet") {
  Bus bus(16);
  bus.command(1, kRead, 100);
  CHECK(bus.in(1, 64).size == 64);
  CHECK(bus.status(1) == "-");
  CHECK(bus.in(1, 64).size == 36);
  CHECK(bus.in(1, 64).size == 0);  // asked for before the status was fetched: nothing more comes
  CHECK(bus.status(1) == "status 1 0");
  CHECK(bus.in(1, 64).kind == kNotYet);  // the next command's
  bus.command(2, kWrite, 100);
  CHECK(bus.out(2, 64).size == 64);
  CHECK(bus.out(2, 64).size == 36);
  CHECK(bus.status(2) == "status 2 0");
}

TEST_CASE("a command that fails ends its transfers with nothing moved") {
  Bus bus(16);
  bus.command(1, kFail);
  CHECK(bus.in(1, 64).size == 0);
  CHECK(bus.in(1, 64).kind == InReply::Kind::data);
  CHECK(bus.out(1, 64).done);
  CHECK(bus.out(1, 64).size == 0);
  CHECK(bus.status(1) == "status 1 2");
  bus.unit.most = 10;  // it fails in the middle
  bus.command(2, kRead, 100);
  CHECK(bus.in(2, 100).size == 10);
  CHECK(bus.status(2) == "status 2 0");
  bus.command(3, kWrite, 100);
  CHECK(bus.out(3, 100).size == 10);
  CHECK(bus.status(3) == "status 3 0");
  bus.command(4, kRead, 100);  // data the wrong way
  CHECK(bus.out(4, 100).size == 0);
}

TEST_CASE("a logical unit that is not ready keeps everything waiting, and advance() goes on") {
  Bus bus(16);
  bus.unit.busy = true;
  bus.command(1, kRead, 100);
  CHECK(bus.unit.log.empty());
  CHECK(bus.in(1, 100).kind == kNotYet);
  bus.unit.busy = false;
  bus.target.advance();
  CHECK(bus.unit.log == "begin1 ");
  bus.unit.busy = true;
  CHECK(bus.in(1, 100).kind == kNotYet);
  bus.unit.busy = false;
  CHECK(bus.in(1, 100).size == 100);
  bus.unit.busy = true;
  bus.command(2, kNothing);
  CHECK(bus.status(2) == "-");
  bus.unit.busy = false;
  CHECK(bus.status(2) == "status 2 0");
}

TEST_CASE("a command for the head of the queue goes before those that have not begun") {
  Bus bus(16);
  bus.command(1, kWrite, 10);
  bus.command(2, kFail);
  auto urgent = command_unit(3, {kNothing});
  urgent[4] = std::byte{1};
  bus.target.command(urgent);
  CHECK(bus.out(1, 10).size == 10);
  CHECK(bus.unit.log == "begin2 accept10 end begin0 end begin3 end ");
}

TEST_CASE("aborting a task: one that waits, one that has begun, one that is not there") {
  Bus bus(16);
  bus.command(1, kWrite, 10);
  bus.command(2, kWrite, 10);
  bus.task(9, TaskManagementUnit::kAbortTask, 2);
  CHECK(bus.status(9) == "response 9 0");
  CHECK(bus.unit.log == "begin2 ");
  bus.task(9, TaskManagementUnit::kAbortTask, 1);
  CHECK(bus.status(9) == "response 9 0");
  CHECK(bus.unit.log == "begin2 abort ");
  bus.task(9, TaskManagementUnit::kAbortTask, 1);
  CHECK(bus.status(9) == "response 9 0");
  CHECK(bus.status(1) == "-");
  CHECK_FALSE(bus.out(1, 10).done);  // as for a command that has not come
}

TEST_CASE("the other task management functions") {
  Bus bus(16);
  bus.command(1, kWrite, 10);
  bus.command(2, kWrite, 10);
  bus.task(9, TaskManagementUnit::kQueryTask, 2);
  CHECK(bus.status(9) == "response 9 8");
  bus.task(9, TaskManagementUnit::kQueryTask, 5);
  CHECK(bus.status(9) == "response 9 0");
  bus.task(9, TaskManagementUnit::kQueryTaskSet);
  CHECK(bus.status(9) == "response 9 8");
  bus.task(9, TaskManagementUnit::kQueryAsyncEvent);
  CHECK(bus.status(9) == "response 9 0");
  bus.task(9, 0x40);
  CHECK(bus.status(9) == "response 9 4");
  bus.task(9, TaskManagementUnit::kAbortTaskSet);
  CHECK(bus.status(9) == "response 9 0");
  bus.task(9, TaskManagementUnit::kQueryTaskSet);
  CHECK(bus.status(9) == "response 9 0");
  bus.command(1, kWrite, 10);
  bus.unit.log.clear();
  bus.task(9, TaskManagementUnit::kLogicalUnitReset);
  CHECK(bus.status(9) == "response 9 0");
  CHECK(bus.unit.log == "abort reset ");
  auto other = task_unit(9, TaskManagementUnit::kLogicalUnitReset, 0);
  other[9] = std::byte{1};
  bus.target.command(other);
  CHECK(bus.status(9) == "response 9 9");
}

TEST_CASE("without streams an abort takes the READY unit along") {
  Bus bus(0);
  bus.command(1, kRead, 60);
  bus.task(2, TaskManagementUnit::kAbortTask, 1);
  CHECK(bus.status() == "response 2 0");
  CHECK(bus.status() == "-");
  bus.command(1, kRead, 60);
  CHECK(bus.status() == "read 1");
}

TEST_CASE("a tag that is in use ends all commands, whose data is answered") {
  Bus bus(16);
  bus.command(1, kWrite, 10);
  bus.command(2, kWrite, 10);
  bus.command(2, kWrite, 10);
  CHECK(bus.status(1) == "-");
  CHECK(bus.out(2, 10).size == 0);
  CHECK(bus.status(2) == "response 2 10");
  bus.command(1, kNothing);  // finished, and its status not fetched
  bus.task(1, TaskManagementUnit::kQueryTaskSet);
  CHECK(bus.status(1) == "status 1 0");
  CHECK(bus.status(1) == "response 1 10");
}

TEST_CASE("another logical unit and a long command block are refused") {
  Bus bus(16);
  auto other = command_unit(1, {kNothing});
  other[9] = std::byte{1};
  bus.target.command(other);
  REQUIRE(bus.status(1) == "status 1 2");
  CHECK(bus.room[16 + 12] == std::byte{0x25});
  auto longer = command_unit(1, {kNothing});
  longer[6] = std::byte{0x10};
  bus.target.command(longer);
  REQUIRE(bus.status(1) == "status 1 2");
  CHECK(bus.room[16 + 12] == std::byte{0x20});
  CHECK(bus.unit.log.empty());
}

TEST_CASE("what is no unit is answered where it has a tag, and halts the pipe where not") {
  Bus bus(16);
  auto unknown = command_unit(5, {});
  unknown[0] = std::byte{2};
  CHECK(bus.target.command(unknown).status == TransferStatus::success);
  CHECK(bus.status(5) == "response 5 2");
  CHECK(bus.target.command({}).status == TransferStatus::stall);
  for (const int tag : {0, 17, 0xffff}) {
    CHECK(bus.command(static_cast<std::uint16_t>(tag), kNothing).status == TransferStatus::stall);
  }
  Bus streamless(0);
  CHECK(streamless.command(17, kNothing).status == TransferStatus::success);
  CHECK(streamless.command(0, kNothing).status == TransferStatus::stall);
}

TEST_CASE("answers that nobody fetches halt the command pipe, and fill no memory") {
  Bus bus(0);
  for (std::uint16_t tag = 1; tag <= Target::kMostTags; ++tag)
    REQUIRE(bus.command(tag, kNothing).status == TransferStatus::success);
  CHECK(bus.command(999, kNothing).status == TransferStatus::stall);
  CHECK(bus.status() == "status 1 0");
  CHECK(bus.command(999, kNothing).status == TransferStatus::success);
}

TEST_CASE("a status request with little room gets the beginning of the unit") {
  Bus bus(16);
  bus.command(1, kFail);
  CHECK(bus.target.status(1, std::span(bus.room).first(8)).size == 8);
  CHECK(bus.status(1) == "-");
}

TEST_CASE("a reset of the bus forgets commands, answers and streams") {
  Bus bus(16);
  bus.command(1, kNothing);
  bus.command(2, kWrite, 10);
  bus.target.reset();
  CHECK(bus.unit.log == "begin0 end begin2 abort reset ");
  CHECK(bus.status() == "-");
  bus.command(2, kRead, 10);
  CHECK(bus.status() == "read 2");
}
