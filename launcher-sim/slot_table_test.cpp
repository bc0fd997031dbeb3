#include "launcher-sim/slot_table.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using usbloop::launcher::SlotTable;

TEST_CASE("slots are taken lowest first, four for each VMI") {
  SlotTable table;
  std::vector<SlotTable::Lease> leases;
  for (int index = 0; index < 4; ++index) {
    auto lease = table.take("a");
    REQUIRE(lease);
    CHECK(lease->index() == index);
    leases.push_back(std::move(*lease));
  }
  CHECK_FALSE(table.take("a"));
  CHECK(table.in_use("a") == 4);
  CHECK(table.take("b")->index() == 0);
  CHECK(table.in_use("b") == 0);
}

TEST_CASE("a slot is free again when its lease ends, and the lowest free one is next") {
  SlotTable table;
  auto first = table.take("a");
  auto second = table.take("a");
  auto third = table.take("a");
  second.reset();
  CHECK(table.in_use("a") == 2);
  CHECK(table.take("a")->index() == 1);
  first.reset();
  auto again = table.take("a");
  CHECK(again->index() == 0);
  // A moved lease is one lease.
  SlotTable::Lease moved = std::move(*again);
  again.reset();
  CHECK(table.in_use("a") == 2);
  // Assigning to a lease gives up the slot that it held.
  moved = std::move(*third);
  third.reset();
  CHECK(moved.index() == 2);
  CHECK(table.in_use("a") == 1);
}

TEST_CASE("a lease may outlive the table, and a VMI without leases leaves nothing behind") {
  auto table = std::make_unique<SlotTable>();
  auto lease = table->take("a");
  CHECK(table->take("b"));
  CHECK(table->in_use("b") == 0);
  table.reset();
  REQUIRE(lease);
  CHECK(lease->index() == 0);
}
