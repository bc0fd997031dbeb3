#include "launcher-sim/guest_table.h"

#include <doctest/doctest.h>

using usbloop::launcher::GuestTable;

TEST_CASE("a node has room for as many guests as it was told, and for a next one when one has ended") {
  GuestTable table(2);
  CHECK(table.has_room());
  CHECK(table.take_room("a"));
  CHECK(table.take_room("b"));
  CHECK_FALSE(table.has_room());
  CHECK_FALSE(table.take_room("c"));
  table.free_room("a");
  table.free_room("a");  // its end is seen at each look
  CHECK(table.take_room("c"));
  CHECK_FALSE(table.has_room());
  table.erase("b");
  CHECK(table.has_room());
}

TEST_CASE("guests that ran before the launcher take room, also more than there is") {
  GuestTable table(1);
  table.count_in("a");
  table.count_in("b");
  CHECK_FALSE(table.has_room());
  table.free_room("a");
  CHECK_FALSE(table.take_room("c"));
  table.free_room("b");
  CHECK(table.take_room("c"));
}

TEST_CASE("a guest that is not there is not found") {
  GuestTable table(1);
  CHECK(table.find("a") == nullptr);
  CHECK(table.all().empty());
  table.erase("a");
}
