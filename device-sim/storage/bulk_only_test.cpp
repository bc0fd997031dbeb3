#include "device-sim/storage/bulk_only.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "device-sim/storage/test_support.h"

using namespace usbloop::device_sim;
using usbloop::device_sim::test::access_10;
using usbloop::device_sim::test::command_wrapper;
using usbloop::device_sim::test::MemoryStore;
using usbloop::device_sim::test::word_at;

namespace {

struct Status {
  std::uint32_t residue;
  int outcome;  // 0 good, 1 failed, 2 phase error
  bool operator==(const Status&) const = default;
};

struct Bus {
  Bus() : disk(store, {"Kingston", "Stick", "1", "S"}), transport(disk) {}

  TransferStatus command(const std::vector<std::uint8_t>& command, std::uint32_t length, bool in) {
    return transport.out(command_wrapper(command, length, in));
  }

  Status status() {
    std::array<std::byte, 13> wrapper{};
    const auto reply = transport.in(wrapper);
    REQUIRE(reply.kind == InReply::Kind::data);
    REQUIRE(reply.size == 13);
    CHECK(word_at(wrapper, 0) == 0x53425355);
    CHECK(word_at(wrapper, 4) == 0x1234);
    return {word_at(wrapper, 8), std::to_integer<int>(wrapper[12])};
  }

  InReply in(std::size_t size) {
    data.assign(size, std::byte{0xee});
    return transport.in(data);
  }

  TransferStatus out(std::size_t size) { return transport.out(std::vector<std::byte>(size, std::byte{0x42})); }

  MemoryStore store{64};
  ScsiDisk disk;
  BulkOnly transport;
  std::vector<std::byte> data;
};

constexpr auto kStalled = InReply::Kind::stall;
const std::vector<std::uint8_t> kTestUnitReady(6, 0);

}  // namespace

// The thirteen cases of the specification's section 6.7: host expects (H) none, in, out; device intends (D).

TEST_CASE("case 1, Hn = Dn: no data") {
  Bus bus;
  CHECK(bus.in(13).kind == InReply::Kind::not_yet);
  CHECK(bus.command(kTestUnitReady, 0, false) == TransferStatus::success);
  CHECK(bus.status() == Status{0, 0});
  CHECK(bus.in(13).kind == InReply::Kind::not_yet);
}

TEST_CASE("cases 2 and 3, Hn < Di and Hn < Do: phase error") {
  Bus bus;
  bus.command(access_10(0x28, 0, 1), 0, false);
  CHECK(bus.status() == Status{0, 2});
  bus.command(access_10(0x2a, 0, 1), 0, false);
  CHECK(bus.status() == Status{0, 2});
}

TEST_CASE("case 4, Hi > Dn: the data phase stalls, and the status tells why") {
  Bus bus;
  bus.command({0xff}, 512, true);
  CHECK(bus.in(512).kind == kStalled);
  CHECK(bus.status() == Status{512, 1});
  bus.command(kTestUnitReady, 512, true);
  CHECK(bus.in(512).kind == kStalled);
  CHECK(bus.status() == Status{512, 0});
}

TEST_CASE("a read of no bytes is answered with none, and changes nothing") {
  Bus bus;
  bus.command(kTestUnitReady, 512, true);
  CHECK(bus.in(0).kind == InReply::Kind::data);
  CHECK(bus.in(512).kind == kStalled);
  CHECK(bus.status() == Status{512, 0});
  bus.command(access_10(0x28, 3, 1), 512, true);
  CHECK(bus.in(0).kind == InReply::Kind::data);
  CHECK(bus.in(512).size == 512);
  CHECK(std::equal(bus.data.begin(), bus.data.end(), bus.store.bytes.begin() + 3 * 512));
  CHECK(bus.status() == Status{0, 0});
}

TEST_CASE("case 5, Hi > Di: a short packet and the residue") {
  Bus bus;
  bus.command({0x12, 0, 0, 0, 255, 0}, 255, true);
  const auto reply = bus.in(255);
  CHECK(reply.kind == InReply::Kind::data);
  CHECK(reply.size == 36);
  CHECK(bus.status() == Status{219, 0});
}

TEST_CASE("case 5 when the data fills its transfers: an empty packet ends it") {
  Bus bus;
  bus.command(access_10(0x28, 0, 2), 2048, true);
  CHECK(bus.in(1024).size == 1024);
  const auto last = bus.in(1024);
  CHECK(last.kind == InReply::Kind::data);
  CHECK(last.size == 0);
  CHECK(bus.status() == Status{1024, 0});
}

TEST_CASE("case 6, Hi = Di: in one transfer or in many") {
  for (const std::size_t piece : {std::size_t{2048}, std::size_t{512}, std::size_t{100}}) {
    Bus bus;
    bus.command(access_10(0x28, 3, 4), 2048, true);
    std::vector<std::byte> all;
    while (all.size() < 2048) {
      const auto reply = bus.in(std::min(piece, 2048 - all.size()));
      REQUIRE(reply.kind == InReply::Kind::data);
      all.insert(all.end(), bus.data.begin(), bus.data.begin() + static_cast<std::ptrdiff_t>(reply.size));
    }
    CHECK(std::equal(all.begin(), all.end(), bus.store.bytes.begin() + 3 * 512));
    CHECK(bus.status() == Status{0, 0});
  }
}

TEST_CASE("case 7, Hi < Di: what fits, and a phase error") {
  Bus bus;
  bus.command(access_10(0x28, 0, 4), 512, true);
  CHECK(bus.in(512).size == 512);
  CHECK(bus.status() == Status{0, 2});
}

TEST_CASE("case 8, Hi against Do: stall and a phase error, nothing is written") {
  Bus bus;
  const auto before = bus.store.bytes;
  bus.command(access_10(0x2a, 0, 1), 512, true);
  CHECK(bus.in(512).kind == kStalled);
  CHECK(bus.status() == Status{512, 2});
  CHECK(bus.store.bytes == before);
}

TEST_CASE("case 9, Ho > Dn: the data is refused") {
  Bus bus;
  bus.command({0xff}, 512, false);
  CHECK(bus.out(512) == TransferStatus::stall);
  CHECK(bus.status() == Status{512, 1});
}

TEST_CASE("case 10, Ho against Di: stall and a phase error") {
  Bus bus;
  bus.command(access_10(0x28, 0, 1), 512, false);
  CHECK(bus.out(512) == TransferStatus::stall);
  CHECK(bus.status() == Status{512, 2});
}

TEST_CASE("case 11, Ho > Do: what is too much is thrown away") {
  Bus bus;
  const auto before = bus.store.bytes;
  bus.command(access_10(0x2a, 1, 1), 1024, false);
  CHECK(bus.out(1024) == TransferStatus::success);
  CHECK(bus.status().outcome == 0);
  CHECK(bus.store.bytes[512] == std::byte{0x42});
  CHECK(bus.store.bytes[1024] == before[1024]);
}

TEST_CASE("case 12, Ho = Do: in one transfer or in many") {
  for (const std::size_t piece : {std::size_t{1024}, std::size_t{512}, std::size_t{64}}) {
    Bus bus;
    bus.command(access_10(0x2a, 1, 2), 1024, false);
    for (std::size_t sent = 0; sent < 1024; sent += piece) CHECK(bus.out(piece) == TransferStatus::success);
    CHECK(bus.status() == Status{0, 0});
    CHECK(std::all_of(bus.store.bytes.begin() + 512, bus.store.bytes.begin() + 1536,
                      [](std::byte byte) { return byte == std::byte{0x42}; }));
  }
}

TEST_CASE("case 13, Ho < Do: nothing is written, and a phase error") {
  Bus bus;
  const auto before = bus.store.bytes;
  bus.command(access_10(0x2a, 0, 4), 512, false);
  CHECK(bus.out(512) == TransferStatus::stall);
  CHECK(bus.status() == Status{512, 2});
  CHECK(bus.store.bytes == before);
}

TEST_CASE("an error while reading stalls the data, and the next command works") {
  Bus bus;
  bus.store.fail_reads = true;
  bus.command(access_10(0x28, 0, 1), 512, true);
  CHECK(bus.in(512).kind == kStalled);
  CHECK(bus.status() == Status{512, 1});
  bus.store.fail_reads = false;
  bus.command(access_10(0x28, 0, 1), 512, true);
  CHECK(bus.in(512).size == 512);
  CHECK(bus.status() == Status{0, 0});
}

TEST_CASE("an error while writing stalls the data") {
  Bus bus;
  bus.store.fail_writes = true;
  bus.command(access_10(0x2a, 0, 1), 512, false);
  CHECK(bus.out(512) == TransferStatus::stall);
  CHECK(bus.status() == Status{512, 1});
}

TEST_CASE("an invalid command wrapper halts both pipes until the reset recovery") {
  const auto good = command_wrapper(kTestUnitReady, 0, false);
  std::vector<std::vector<std::byte>> bad(6, good);
  bad[0].pop_back();               // short
  bad[1].push_back(std::byte{0});  // long
  bad[2][0] = std::byte{0};        // signature
  bad[3][13] = std::byte{1};       // a LUN that we do not have
  bad[4][14] = std::byte{0};       // no command
  bad[5][14] = std::byte{17};      // a command longer than the field
  for (const auto& wrapper : bad) {
    Bus bus;
    CHECK(bus.transport.out(wrapper) == TransferStatus::stall);
    CHECK_FALSE(bus.transport.may_clear_halt());
    CHECK(bus.in(13).kind == kStalled);
    CHECK(bus.transport.out(good) == TransferStatus::stall);
    CHECK(bus.transport.request({0x21, 0xff, 0, 0, 0}).status == TransferStatus::success);
    CHECK(bus.transport.may_clear_halt());
    CHECK(bus.transport.out(good) == TransferStatus::success);
    CHECK(bus.status() == Status{0, 0});
  }
}

TEST_CASE("data that nobody asked for breaks the transport, and a bus reset mends it") {
  Bus bus;
  bus.command(access_10(0x2a, 0, 1), 512, false);
  CHECK(bus.out(513) == TransferStatus::stall);
  bus.transport.reset();
  bus.command(kTestUnitReady, 0, false);
  CHECK(bus.out(31) == TransferStatus::stall);  // a command where the status is to be fetched
  bus.transport.reset();
  CHECK(bus.command(kTestUnitReady, 0, false) == TransferStatus::success);
}

TEST_CASE("there is one logical unit, and other class requests stall") {
  Bus bus;
  const auto reply = bus.transport.request({0xa1, 0xfe, 0, 0, 1});
  CHECK(reply.status == TransferStatus::success);
  CHECK(reply.data == std::vector<std::byte>{std::byte{0}});
  CHECK(bus.transport.request({0x21, 0x01, 0, 0, 0}).status == TransferStatus::stall);
}

TEST_CASE("a status that does not fit into the room given stalls") {
  Bus bus;
  bus.command(kTestUnitReady, 0, false);
  CHECK(bus.in(12).kind == kStalled);
}
