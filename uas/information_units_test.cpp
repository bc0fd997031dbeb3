#include "uas/information_units.h"

#include <doctest/doctest.h>

#include "uas/test_support.h"

using namespace usbloop::uas;
using usbloop::uas::test::bytes;

TEST_CASE("a command unit is read field by field") {
  auto unit = test::command_unit(0x1234, {0x28, 0, 0, 0, 0x10, 0, 0, 0, 8, 0});
  unit[4] = std::byte{0x01};
  unit[9] = std::byte{0x03};
  const auto read = read_unit(unit);
  const auto* command = std::get_if<CommandUnit>(&read);
  REQUIRE(command != nullptr);
  CHECK(command->tag == 0x1234);
  CHECK(command->head_of_queue);
  CHECK_FALSE(command->long_block);
  CHECK(command->logical_unit == std::uint64_t{3} << 48);
  CHECK(command->block[0] == std::byte{0x28});
  CHECK(command->block[8] == std::byte{8});
  unit[6] = std::byte{0x04};  // one more word of command block
  CHECK(std::get<CommandUnit>(read_unit(unit)).long_block);
}

TEST_CASE("a task management unit is read field by field") {
  const auto read = read_unit(test::task_unit(7, TaskManagementUnit::kAbortTask, 0x0305));
  const auto* task = std::get_if<TaskManagementUnit>(&read);
  REQUIRE(task != nullptr);
  CHECK(task->tag == 7);
  CHECK(task->function == 1);
  CHECK(task->managed_tag == 0x0305);
  CHECK(task->logical_unit == 0);
}

TEST_CASE("what is cut or of another kind is unknown, with its tag where it has one") {
  const auto tag_of = [](std::span<const std::byte> data) {
    const auto read = read_unit(data);
    REQUIRE(std::holds_alternative<UnknownUnit>(read));
    return std::get<UnknownUnit>(read).tag;
  };
  const auto command = test::command_unit(9, {0});
  const auto task = test::task_unit(9, 1, 1);
  for (std::size_t size = 0; size < 4; ++size) CHECK(tag_of(std::span(command).first(size)) == 0);
  for (std::size_t size = 4; size < 32; ++size) CHECK(tag_of(std::span(command).first(size)) == 9);
  for (std::size_t size = 4; size < 16; ++size) CHECK(tag_of(std::span(task).first(size)) == 9);
  for (const int id : {0, 2, 3, 4, 6, 7, 255}) {
    auto other = command;
    other[0] = static_cast<std::byte>(id);
    CHECK(tag_of(other) == 9);
  }
}

TEST_CASE("the units of the status pipe as they stand on the wire") {
  CHECK(status_unit(0x0102, {}) == bytes({3, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  const auto failed = status_unit(5, {Outcome::kCheckCondition, fixed_sense(5, 0x20, 0)});
  REQUIRE(failed.size() == 34);
  CHECK(failed[6] == std::byte{2});
  CHECK(failed[15] == std::byte{18});
  CHECK(failed[16] == std::byte{0x70});
  CHECK(failed[18] == std::byte{5});
  CHECK(failed[28] == std::byte{0x20});
  CHECK(response_unit(6, Response::overlapped_tag) == bytes({4, 0, 0, 6, 0, 0, 0, 10}));
  CHECK(ready_unit(7, Direction::in) == bytes({6, 0, 0, 7}));
  CHECK(ready_unit(7, Direction::out) == bytes({7, 0, 0, 7}));
}

TEST_CASE("sense data that is longer than a disk may give is cut") {
  const auto unit = status_unit(1, {Outcome::kCheckCondition, std::vector<std::byte>(1000)});
  CHECK(unit.size() == 16 + 252);
  CHECK(unit[15] == std::byte{252});
}
