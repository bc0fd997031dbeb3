#include "uas/command_block.h"

#include <doctest/doctest.h>

#include <array>
#include <initializer_list>

using namespace usbloop::uas;

namespace {

std::array<std::byte, 16> block(std::initializer_list<int> bytes) {
  std::array<std::byte, 16> result{};
  std::size_t at = 0;
  for (const int byte : bytes) result.at(at++) = static_cast<std::byte>(byte);
  return result;
}

}  // namespace

TEST_CASE("which way a command moves data") {
  CHECK(direction_of(block({0x00})) == Direction::none);
  CHECK(direction_of(block({0x12, 0, 0, 0, 36})) == Direction::in);
  CHECK(direction_of(block({0x12, 0, 0, 1, 0})) == Direction::in);
  CHECK(direction_of(block({0x12})) == Direction::none);
  CHECK(direction_of(block({0x08})) == Direction::in);
  CHECK(direction_of(block({0x25})) == Direction::in);
  CHECK(direction_of(block({0x28, 0, 0, 0, 0, 0, 0, 0, 8})) == Direction::in);
  CHECK(direction_of(block({0x28, 0, 1, 1, 1, 1})) == Direction::none);
  CHECK(direction_of(block({0x2a, 0, 0, 0, 0, 0, 0, 1, 0})) == Direction::out);
  CHECK(direction_of(block({0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0})) == Direction::out);
  CHECK(direction_of(block({0x35})) == Direction::none);
  CHECK(direction_of(block({0x2f, 0, 0, 0, 0, 0, 0, 0, 8})) == Direction::none);
  CHECK(direction_of(block({0x2f, 2, 0, 0, 0, 0, 0, 0, 8})) == Direction::out);
  CHECK(direction_of(block({0x93, 0})) == Direction::out);
  CHECK(direction_of(block({0x93, 1})) == Direction::none);
  CHECK(direction_of(block({0x85, 0x08, 0x0e})) == Direction::in);
  CHECK(direction_of(block({0x85, 0x0a, 0x06})) == Direction::out);
  CHECK(direction_of(block({0xa1, 0x06, 0x00})) == Direction::none);
  CHECK(direction_of(block({0xc5, 1, 1, 1, 1, 1, 1, 1, 1})) == Direction::none);
}

TEST_CASE("how long a command is") {
  CHECK(length_of(block({0x12})) == 6);
  CHECK(length_of(block({0x28})) == 10);
  CHECK(length_of(block({0x5a})) == 10);
  CHECK(length_of(block({0x88})) == 16);
  CHECK(length_of(block({0xa8})) == 12);
  CHECK(length_of(block({0xc5})) == 10);
  CHECK(length_of(block({0xe5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})) == 16);
}
