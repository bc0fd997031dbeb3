#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "common/test_text.h"
#include "device-sim/storage/scsi_rig.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::device_sim::test::access_10;
using usbloop::device_sim::test::Disk;

namespace {

constexpr Sense kNoMedium{0x02, 0x3a, 0x00}, kHasChanged{0x06, 0x28, 0x00};
const std::vector<std::uint8_t> kReady = {0, 0, 0, 0, 0, 0}, kLock = {0x1e, 0, 0, 0, 1, 0},
                                kUnlock = {0x1e, 0, 0, 0, 0, 0}, kStop = {0x1b, 0, 0, 0, 0, 0},
                                kEject = {0x1b, 0, 0, 0, 2, 0}, kInquire = {0x12, 0, 0, 0, 36, 0};

}  // namespace

TEST_CASE("an eject flushes and takes the medium away, unless removal is prevented") {
  Disk disk;
  disk.begin({0x1e, 0, 0, 0, 1, 0});
  CHECK(disk.refusal({0x1b, 0, 0, 0, 2, 0}) == Sense{0x05, 0x53, 0x02});
  disk.begin({0x1e, 0, 0, 0, 0, 0});
  disk.begin({0x1b, 0, 0, 0, 2, 0});
  CHECK_FALSE(disk.disk.failed());
  CHECK(disk.store.flushes == 1);
  CHECK(disk.refusal({0x00, 0, 0, 0, 0, 0}) == Sense{0x02, 0x3a, 0x00});
  CHECK(disk.refusal(access_10(0x28, 0, 1)) == Sense{0x02, 0x3a, 0x00});
  CHECK(disk.get({0x12, 0, 0, 0, 36, 0}).size() == 36);
  disk.begin({0x1b, 0, 0, 0, 3, 0});
  CHECK(disk.get(access_10(0x28, 0, 1)).size() == 512);
}

TEST_CASE("a stop without an eject flushes and keeps the medium") {
  Disk disk;
  disk.begin(kStop);
  CHECK_FALSE(disk.disk.failed());
  CHECK(disk.store.flushes == 1);
  CHECK(disk.disk.is_loaded());
}

TEST_CASE("a medium that was put in again is told once, as a unit attention") {
  Disk disk;
  disk.begin(kEject);
  CHECK_FALSE(disk.disk.is_loaded());
  disk.disk.load();
  CHECK(disk.get(kInquire).size() == 36);  // these come first
  CHECK(disk.sense() == Sense{});
  CHECK(disk.refusal(kReady) == kHasChanged);
  disk.begin(kReady);
  CHECK_FALSE(disk.disk.failed());
  disk.disk.load();  // it is in: nothing has changed
  disk.begin(kReady);
  CHECK_FALSE(disk.disk.failed());
}

TEST_CASE("a person's eject flushes, is refused while the guest has the medium locked, and may be forced") {
  Disk disk;
  disk.begin(kLock);
  const auto refused = disk.disk.eject(false);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(testing::contains(refused.error().message(), "the guest has locked it"));
  CHECK(disk.disk.is_loaded());
  REQUIRE(disk.disk.eject(true));
  CHECK(disk.store.flushes == 1);
  CHECK(disk.refusal(kReady) == kNoMedium);
  disk.disk.load();
  disk.begin(kUnlock);  // tells of the change, and is not done
  CHECK(disk.sense() == kHasChanged);
  disk.begin(kUnlock);
  CHECK(disk.disk.eject(false));
  CHECK(disk.disk.eject(false));  // out already
}

TEST_CASE("a medium that cannot be flushed stays in") {
  Disk disk;
  disk.store.fail_writes = true;
  CHECK_FALSE(disk.disk.eject(true));
  CHECK(disk.disk.is_loaded());
  CHECK(disk.refusal(kEject) == Sense{0x03, 0x0c, 0x00});
  CHECK(disk.disk.is_loaded());
}

TEST_CASE("a medium that goes in the middle of a command ends it, also when it is back at once") {
  Disk disk;
  std::vector<std::byte> block(512);
  for (const auto operation : std::array<std::uint8_t, 2>{0x28, 0x2a}) {
    CAPTURE(operation);
    CHECK(disk.begin(access_10(operation, 0, 2)).bytes == 1024);
    const auto move = [&] { return operation == 0x28 ? disk.disk.produce(block) : disk.disk.accept(block); };
    CHECK(move());
    REQUIRE(disk.disk.eject(true));
    disk.disk.load();
    CHECK_FALSE(move());
    CHECK(disk.disk.failed());
    CHECK(disk.sense() == kNoMedium);
    CHECK(disk.refusal(kReady) == kHasChanged);
  }
}

TEST_CASE("an SSD has no medium, and refuses to eject one") {
  test::MemoryStore store(64);
  ScsiDisk disk(store, {.vendor = "SanDisk", .product = "Extreme", .revision = "1", .serial = "1", .is_ssd = true});
  CHECK(disk.medium() == nullptr);
  disk.begin(std::as_bytes(std::span(kEject)));
  CHECK(disk.failed());
  CHECK(disk.take_sense() == Sense{0x05, 0x24, 0x00});
  disk.begin(std::as_bytes(std::span(kStop)));
  CHECK_FALSE(disk.failed());
  CHECK(store.flushes == 1);
}
