#include "device-sim/storage/scsi_disk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "device-sim/storage/scsi_rig.h"

using namespace usbloop::device_sim;
using usbloop::device_sim::test::access_10;
using usbloop::device_sim::test::Disk;

namespace {

std::string text(const std::vector<std::uint8_t>& data, std::size_t at, std::size_t size) {
  return {data.begin() + static_cast<std::ptrdiff_t>(at), data.begin() + static_cast<std::ptrdiff_t>(at + size)};
}

}  // namespace

TEST_CASE("INQUIRY names a removable disk, and is cut to the allocation length") {
  Disk disk;
  const auto data = disk.get({0x12, 0, 0, 0, 255, 0});
  REQUIRE(data.size() == 36);
  CHECK(data[1] == 0x80);
  CHECK(text(data, 8, 8) == "Kingston");
  CHECK(text(data, 16, 16) == "DataTraveler 3.0");
  CHECK(text(data, 32, 4) == "PMAP");
  CHECK(disk.get({0x12, 0, 0, 0, 5, 0}).size() == 5);
  CHECK(disk.begin({0x12, 0, 0, 0, 0, 0}).direction == ScsiDisk::Direction::none);
}

TEST_CASE("vital product data has the serial number, and unknown pages are refused") {
  Disk disk;
  CHECK(disk.get({0x12, 1, 0x00, 0, 255, 0}) == std::vector<std::uint8_t>{0, 0, 0, 3, 0x00, 0x80, 0x83});
  const auto serial = disk.get({0x12, 1, 0x80, 0, 255, 0});
  CHECK(text(serial, 4, serial.size() - 4) == "60A44C41");
  CHECK(disk.get({0x12, 1, 0x83, 0, 255, 0}).size() == 4 + 4 + 8 + 8);
  CHECK(disk.refusal({0x12, 1, 0xb0, 0, 255, 0}) == Sense{0x05, 0x24, 0x00});
  CHECK(disk.refusal({0x12, 0, 0x80, 0, 255, 0}) == Sense{0x05, 0x24, 0x00});
}

TEST_CASE("capacity is the last block, and all ones when it does not fit in 32 bits") {
  Disk disk(64);
  CHECK(disk.get({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == std::vector<std::uint8_t>{0, 0, 0, 63, 0, 0, 2, 0});
  CHECK(disk.get({0x23, 0, 0, 0, 0, 0, 0, 0, 252, 0}) ==
        std::vector<std::uint8_t>{0, 0, 0, 8, 0, 0, 0, 64, 2, 0, 2, 0});
  disk.store.reported_size = (std::uint64_t{1} << 32) * 512 + 512;
  CHECK(disk.get({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0})[0] == 0xff);
  const auto large = disk.get({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0});
  CHECK(large.size() == 32);
  CHECK(large[3] == 1);
  CHECK(disk.refusal({0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0}) == Sense{0x05, 0x24, 0x00});
}

TEST_CASE("every form of READ finds its blocks") {
  Disk disk(1024);
  const std::vector<std::vector<std::uint8_t>> reads = {{0x08, 0, 0, 5, 2, 0},
                                                        access_10(0x28, 5, 2),
                                                        {0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0},
                                                        {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0}};
  for (const auto& command : reads) {
    const auto data = disk.get(command);
    REQUIRE(data.size() == 1024);
    CHECK(std::memcmp(data.data(), disk.store.bytes.data() + 5 * 512, 1024) == 0);
  }
  CHECK(disk.begin({0x08, 0, 0, 5, 0, 0}).bytes == 256 * 512);  // 0 stands for 256 in READ(6)
  CHECK(disk.begin(access_10(0x28, 5, 0)).direction == ScsiDisk::Direction::none);
}

TEST_CASE("every form of WRITE reaches its blocks") {
  const std::vector<std::vector<std::uint8_t>> writes = {{0x0a, 0, 0, 5, 1, 0},
                                                         access_10(0x2a, 5, 1),
                                                         {0xaa, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0},
                                                         {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0}};
  for (const auto& command : writes) {
    Disk disk(16);
    const auto before = disk.store.bytes;
    const std::vector<std::byte> data(512, std::byte{0x77});
    CHECK(disk.begin(command).direction == ScsiDisk::Direction::out);
    CHECK(disk.disk.accept(data));
    CHECK(std::equal(data.begin(), data.end(), disk.store.bytes.begin() + 5 * 512));
    CHECK(std::equal(before.begin(), before.begin() + 5 * 512, disk.store.bytes.begin()));
    CHECK(std::equal(before.begin() + 6 * 512, before.end(), disk.store.bytes.begin() + 6 * 512));
  }
}

TEST_CASE("access outside of the disk is refused, also where the numbers would overflow") {
  Disk disk(64);
  const Sense out_of_range{0x05, 0x21, 0x00};
  CHECK_FALSE((disk.begin(access_10(0x28, 63, 1)), disk.disk.failed()));
  CHECK(disk.refusal(access_10(0x28, 63, 2)) == out_of_range);
  CHECK(disk.refusal(access_10(0x28, 64, 1)) == out_of_range);
  CHECK(disk.refusal(access_10(0x2a, 0xffffffff, 0xffff)) == out_of_range);
  CHECK(disk.refusal(access_10(0x2f, 64, 1)) == out_of_range);
  CHECK(disk.refusal({0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0}) == out_of_range);
  CHECK(disk.refusal({0x8a, 0, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}) == out_of_range);
}

TEST_CASE("unknown commands are refused with ILLEGAL REQUEST") {
  Disk disk;
  for (int operation = 0; operation < 256; ++operation) {
    const std::vector<std::uint8_t> command(16, 0);
    auto with_operation = command;
    with_operation[0] = static_cast<std::uint8_t>(operation);
    disk.begin(with_operation);
    if (disk.disk.failed()) CHECK(disk.sense().key == 0x05);
  }
  CHECK(disk.refusal({0x04, 0, 0, 0, 0, 0}) == Sense{0x05, 0x20, 0x00});
  CHECK(disk.refusal({0xff}) == Sense{0x05, 0x20, 0x00});
}

TEST_CASE("UNMAP and WRITE SAME are refused, and no page promises them") {
  Disk disk;
  for (const auto operation : std::array<std::uint8_t, 3>{0x42, 0x41, 0x93}) {
    CAPTURE(operation);
    CHECK(disk.refusal({operation, 8, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0}) == Sense{0x05, 0x20, 0x00});
  }
  CHECK(disk.refusal({0x12, 1, 0xb2, 0, 255, 0}) == Sense{0x05, 0x24, 0x00});
  const auto capacity = disk.get({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0});
  CHECK((capacity[14] & 0xc0) == 0);  // LBPME and LBPRZ
}

TEST_CASE("blocks behind 2 TiB are read and written where they are") {
  Disk disk;
  struct Far final : BlockStore {
    [[nodiscard]] std::uint64_t size() const override { return std::uint64_t{3} << 40; }
    [[nodiscard]] bool read_only() const override { return false; }
    Result<> read(std::uint64_t offset, std::span<std::byte>) override { return at = offset, Result<>(); }
    Result<> write(std::uint64_t offset, std::span<const std::byte>) override { return at = offset, Result<>(); }
    Result<> flush() override { return {}; }
    std::uint64_t at = 0;
  } store;
  ScsiDisk far(store, {"Kingston", "DataTraveler 3.0", "PMAP", "60A44C41"});
  std::vector<std::byte> block(512);
  for (const auto operation : std::array<std::uint8_t, 2>{0x88, 0x8a}) {
    const std::vector<std::uint8_t> last = {operation, 0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0};
    CHECK(far.begin(std::as_bytes(std::span(last))).bytes == 512);
    CHECK((operation == 0x88 ? far.produce(block) : far.accept(block)));
    CHECK(store.at == (std::uint64_t{3} << 40) - 512);
    store.at = 0;
  }
}

TEST_CASE("sense data tells of the last failure once, and a good command forgets it") {
  Disk disk;
  disk.begin({0xff});
  CHECK(disk.sense() == Sense{0x05, 0x20, 0x00});
  CHECK(disk.sense() == Sense{});
  disk.begin({0xff});
  disk.begin({0x00, 0, 0, 0, 0, 0});
  CHECK_FALSE(disk.disk.failed());
  CHECK(disk.sense() == Sense{});
}

TEST_CASE("a command that fails like the one before it keeps its sense data") {
  Disk disk;
  disk.begin({0xff});
  disk.begin({0xff});
  CHECK(disk.sense() == Sense{0x05, 0x20, 0x00});
}

TEST_CASE("a broken store is a medium error") {
  Disk disk;
  disk.store.fail_reads = disk.store.fail_writes = true;
  std::vector<std::byte> block(512);
  CHECK(disk.begin(access_10(0x28, 0, 1)).bytes == 512);
  CHECK_FALSE(disk.disk.produce(block));
  CHECK(disk.sense() == Sense{0x03, 0x11, 0x00});
  disk.begin(access_10(0x2a, 0, 1));
  CHECK_FALSE(disk.disk.accept(block));
  CHECK(disk.sense() == Sense{0x03, 0x0c, 0x00});
  CHECK(disk.refusal({0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == Sense{0x03, 0x0c, 0x00});
}

TEST_CASE("SYNCHRONIZE CACHE brings the data onto the medium, and MODE SENSE says that it is needed") {
  Disk disk;
  const auto modes = disk.get({0x1a, 0, 0x3f, 0, 192, 0});
  REQUIRE(modes.size() == 24);
  CHECK(modes[0] == 23);
  CHECK(modes[2] == 0);
  CHECK(modes[4] == 0x08);
  CHECK(modes[6] == 0x04);
  CHECK(disk.get({0x5a, 0, 0x08, 0, 0, 0, 0, 0, 255, 0}).size() == 28);
  CHECK(disk.refusal({0x1a, 0, 0x1c, 0, 192, 0}) == Sense{0x05, 0x24, 0x00});
  disk.begin({0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK_FALSE(disk.disk.failed());
  CHECK(disk.store.flushes == 1);
}

TEST_CASE("a read-only disk says so and refuses writing") {
  Disk disk(64, true);
  CHECK(disk.get({0x1a, 0, 0x3f, 0, 192, 0})[2] == 0x80);
  CHECK(disk.refusal(access_10(0x2a, 0, 1)) == Sense{0x07, 0x27, 0x00});
  CHECK(disk.get(access_10(0x28, 0, 1)).size() == 512);
}
