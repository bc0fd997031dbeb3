#include "device-sim/storage/ssd.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "device-sim/emulation/device_rig.h"
#include "device-sim/storage/test_support.h"
#include "uas/pipes.h"
#include "uas/test_support.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::access_10;
using device_sim::test::DeviceRig;
using device_sim::test::Reply;
using uas::kCommandEndpoint;
using uas::kDataInEndpoint;
using uas::kDataOutEndpoint;
using uas::kStatusEndpoint;
using usbredir::Speed;

namespace {

constexpr std::uint32_t kAllPipes = 1U << 2 | 1U << 17 | 1U << 19;  // data-out, data-in, status

std::vector<int> with_streams() {
  std::vector<int> capabilities(usbredir::kUsualCapabilities);
  capabilities.push_back(usb_redir_cap_bulk_streams);
  return capabilities;
}

/// An SSD and a guest with a cable between them.
struct SsdRig : DeviceRig {
  explicit SsdRig(Speed speed = Speed::super) : DeviceRig(with_streams()) {
    auto memory = std::make_unique<device_sim::test::MemoryStore>(8192);
    store = memory.get();
    StorageOptions options = Ssd::defaults();
    options.speed = speed;
    plug(std::make_unique<Ssd>(std::move(memory), options));
  }

  /// As a guest with the driver `uas` begins.
  void attach() {
    exchange();
    guest.parser.send_reset();
    guest.parser.send(1, usb_redir_set_configuration_header{1});
    guest.parser.send(2, usb_redir_set_alt_setting_header{0, 1});
    if (host->device().speed == Speed::super) {
      guest.parser.send(3, usb_redir_alloc_bulk_streams_header{kAllPipes, 16});
    }
    exchange();
    for (const Reply& reply : guest.replies) REQUIRE(reply.status == usb_redir_success);
    guest.replies.clear();
  }

  static usb_redir_bulk_packet_header bulk(std::uint8_t endpoint, std::size_t size, std::uint32_t stream) {
    return {endpoint, 0, static_cast<std::uint16_t>(size), stream, static_cast<std::uint16_t>(size >> 16)};
  }
  std::uint64_t in(std::uint8_t endpoint, std::size_t size, std::uint32_t stream = 0) {
    guest.parser.send(++id, bulk(endpoint, size, stream));
    return id;
  }
  std::uint64_t out(std::uint8_t endpoint, std::span<const std::byte> data, std::uint32_t stream = 0) {
    guest.parser.send(++id, bulk(endpoint, data.size(), stream), data);
    return id;
  }
  std::uint64_t command(std::uint16_t tag, const std::vector<std::uint8_t>& block) {
    return out(kCommandEndpoint, uas::test::command_unit(tag, block));
  }

  /// The answer to a transfer; null while it waits.
  const Reply* reply(std::uint64_t wanted) {
    exchange();
    for (const Reply& each : guest.replies) {
      if (each.id == wanted) return &each;
    }
    return nullptr;
  }
  int outcome(std::uint64_t request) {
    const Reply* const status = reply(request);
    if (status == nullptr || status->data.size() < 16 || status->data[0] != std::byte{3}) return -1;
    return std::to_integer<int>(status->data[6]);
  }

  device_sim::test::MemoryStore* store = nullptr;
};

}  // namespace

TEST_CASE("an SSD has Bulk-Only and UAS as alternate settings, with streams at super speed alone") {
  for (const Speed speed : {Speed::high, Speed::super}) {
    SsdRig rig(speed);
    rig.exchange();
    CHECK(rig.host->device().label() == "0781:55ae \"SanDisk Extreme 55AE\" (emulated SSD)");
    const DescriptorSet descriptors =
        Ssd(std::make_unique<device_sim::test::MemoryStore>(8), {0x0781, 0x55ae, speed, "1"}).descriptors();
    const auto configuration = usbredir::parse_configuration(descriptors.configuration);
    REQUIRE(configuration);
    REQUIRE(configuration->settings.size() == 2);
    CHECK(configuration->settings[0].interface_protocol == 0x50);
    CHECK(configuration->settings[1].interface_protocol == 0x62);
    CHECK(configuration->settings[1].endpoints.size() == 4);
    rig.attach();
    const auto& info = rig.guest.endpoints;
    const std::uint32_t streams = speed == Speed::super ? 16 : 0;
    for (const int index : {2, 17, 19}) CHECK(std::uint32_t{info.max_streams[index]} == streams);
    CHECK(std::uint32_t{info.max_streams[4]} == 0);
    CHECK(rig.guest.parser.peer_has(usb_redir_cap_bulk_streams) == (speed == Speed::super));
  }
}

TEST_CASE("Bulk-Only works in alternate setting 0") {
  SsdRig rig;
  rig.exchange();
  rig.guest.parser.send(1, usb_redir_set_configuration_header{1});
  rig.out(BulkOnly::kEndpointOut, test::command_wrapper(access_10(0x28, 4, 1), 512, true));
  const auto data = rig.in(BulkOnly::kEndpointIn, 512);
  const auto status = rig.in(BulkOnly::kEndpointIn, 13);
  REQUIRE(rig.reply(data) != nullptr);
  CHECK(std::equal(rig.reply(data)->data.begin(), rig.reply(data)->data.end(), rig.store->bytes.begin() + 4 * 512));
  REQUIRE(rig.reply(status) != nullptr);
  CHECK(rig.reply(status)->data.back() == std::byte{0});
  CHECK(rig.reply(rig.in(kStatusEndpoint, 64))->status == usb_redir_inval);  // no such endpoint in this setting
}

TEST_CASE("reads and writes by streams, their data before their command") {
  SsdRig rig;
  rig.attach();
  const std::size_t size = 1 << 20;
  const std::vector<std::byte> data(size, std::byte{0x42});
  const auto status = rig.in(kStatusEndpoint, 112, 2);
  const auto written = rig.out(kDataOutEndpoint, data, 2);
  CHECK(rig.reply(written) == nullptr);
  rig.command(2, access_10(0x2a, 100, 2048));
  CHECK(rig.outcome(status) == 0);
  CHECK(rig.reply(written)->length == size);
  CHECK(rig.reply(written)->stream == 2);
  CHECK(std::equal(data.begin(), data.end(), rig.store->bytes.begin() + 100 * 512));

  const auto second = rig.in(kStatusEndpoint, 112, 7);
  const auto read = rig.in(kDataInEndpoint, size, 7);
  CHECK(rig.reply(read) == nullptr);
  rig.command(7, access_10(0x28, 50, 2048));
  CHECK(rig.outcome(second) == 0);
  CHECK(rig.reply(read)->data.size() == size);
  CHECK(rig.reply(read)->stream == 7);
  CHECK(std::equal(rig.reply(read)->data.begin(), rig.reply(read)->data.end(), rig.store->bytes.begin() + 50 * 512));
}

TEST_CASE("sixteen commands at once, all answered on their own stream") {
  SsdRig rig;
  rig.attach();
  std::vector<std::uint64_t> statuses;
  std::vector<std::uint64_t> reads;
  for (std::uint16_t tag = 1; tag <= 16; ++tag) {
    statuses.push_back(rig.in(kStatusEndpoint, 112, tag));
    reads.push_back(rig.in(kDataInEndpoint, 4096, tag));
  }
  for (std::uint16_t tag = 1; tag <= 16; ++tag) rig.command(tag, access_10(0x28, tag * 8U, 8));
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK(rig.outcome(statuses[i]) == 0);
    const auto& data = rig.reply(reads[i])->data;
    REQUIRE(data.size() == 4096);
    CHECK(std::equal(data.begin(), data.end(), rig.store->bytes.begin() + static_cast<std::ptrdiff_t>((i + 1) * 4096)));
  }
}

TEST_CASE("at high speed READY units ask for the data") {
  SsdRig rig(Speed::high);
  rig.attach();
  const auto first = rig.in(kStatusEndpoint, 112);
  const auto second = rig.in(kStatusEndpoint, 112);
  rig.command(1, access_10(0x28, 8, 8));
  REQUIRE(rig.reply(first) != nullptr);
  CHECK(rig.reply(first)->data == uas::test::bytes({6, 0, 0, 1}));
  CHECK(rig.reply(second) == nullptr);
  const auto read = rig.in(kDataInEndpoint, 4096);
  CHECK(rig.reply(read)->data.size() == 4096);
  CHECK(rig.outcome(second) == 0);
}

TEST_CASE("a command that fails brings its sense data with its status") {
  SsdRig rig;
  rig.attach();
  const auto status = rig.in(kStatusEndpoint, 112, 1);
  const auto read = rig.in(kDataInEndpoint, 512, 1);
  rig.command(1, access_10(0x28, 0x7fffffff, 1));
  CHECK(rig.outcome(status) == 2);
  CHECK(rig.reply(read)->data.empty());
  CHECK(rig.reply(read)->status == usb_redir_success);
  const auto& unit = rig.reply(status)->data;
  REQUIRE(unit.size() == 34);
  CHECK(unit[18] == std::byte{5});
  CHECK(unit[28] == std::byte{0x21});
  rig.store->fail_reads = true;
  const auto broken = rig.in(kStatusEndpoint, 112, 2);
  rig.in(kDataInEndpoint, 512, 2);
  rig.command(2, access_10(0x28, 0, 1));
  CHECK(rig.outcome(broken) == 2);
  CHECK(rig.reply(broken)->data[18] == std::byte{3});
}

TEST_CASE("transfers on a stream that is not there are refused") {
  SsdRig rig;
  rig.attach();
  for (const std::uint32_t stream : {0U, 17U, 0xffffffffU}) {
    CHECK(rig.reply(rig.in(kStatusEndpoint, 112, stream))->status == usb_redir_inval);
  }
  CHECK(rig.reply(rig.out(kCommandEndpoint, uas::test::command_unit(1, {0}), 1))->status == usb_redir_inval);
  rig.guest.parser.send(50, usb_redir_free_bulk_streams_header{kAllPipes});
  CHECK(rig.reply(50)->status == usb_redir_success);
  CHECK(rig.reply(rig.in(kStatusEndpoint, 112, 1))->status == usb_redir_inval);
}

TEST_CASE("streams that the endpoints do not have are refused, and giving back is always granted") {
  SsdRig rig;
  rig.attach();
  const auto alloc = [&](std::uint32_t endpoints, std::uint32_t count) {
    rig.guest.parser.send(++rig.id, usb_redir_alloc_bulk_streams_header{endpoints, count});
    return rig.reply(rig.id)->status;
  };
  CHECK(alloc(kAllPipes, 17) == usb_redir_inval);
  CHECK(alloc(kAllPipes, 0) == usb_redir_inval);
  CHECK(alloc(0, 4) == usb_redir_inval);
  CHECK(alloc(1U << 4, 4) == usb_redir_inval);  // the command pipe has none
  CHECK(alloc(1U << 9, 4) == usb_redir_inval);  // no such endpoint
  CHECK(alloc(kAllPipes, 4) == usb_redir_success);
  rig.guest.parser.send(60, usb_redir_free_bulk_streams_header{1U << 9});
  CHECK(rig.reply(60)->status == usb_redir_success);
}

TEST_CASE("choosing a setting or taking the streams back ends the transfers that wait") {
  for (const bool by_setting : {true, false}) {
    SsdRig rig;
    rig.attach();
    const auto status = rig.in(kStatusEndpoint, 112, 1);
    const auto data = rig.out(kDataOutEndpoint, std::vector<std::byte>(512), 1);
    CHECK(rig.reply(status) == nullptr);
    if (by_setting) {
      rig.guest.parser.send(50, usb_redir_set_alt_setting_header{0, 1});
    } else {
      rig.guest.parser.send(50, usb_redir_free_bulk_streams_header{kAllPipes});
    }
    CHECK(rig.reply(status)->status == usb_redir_cancelled);
    CHECK(rig.reply(data)->status == usb_redir_cancelled);
  }
}

TEST_CASE("a command whose data is cancelled can be aborted, and the next one works") {
  SsdRig rig;
  rig.attach();
  const auto lost = rig.in(kStatusEndpoint, 112, 1);
  rig.command(1, access_10(0x2a, 0, 8));
  const auto half = rig.out(kDataOutEndpoint, std::vector<std::byte>(512), 1);
  CHECK(rig.reply(half)->length == 512);
  rig.guest.parser.send_cancel_data_packet(lost);
  CHECK(rig.reply(lost)->status == usb_redir_cancelled);
  const auto response = rig.in(kStatusEndpoint, 112, 9);
  rig.out(kCommandEndpoint, uas::test::task_unit(9, uas::TaskManagementUnit::kAbortTask, 1));
  REQUIRE(rig.reply(response) != nullptr);
  CHECK(rig.reply(response)->data == uas::test::bytes({4, 0, 0, 9, 0, 0, 0, 0}));
  const auto status = rig.in(kStatusEndpoint, 112, 1);
  rig.command(1, {0});
  CHECK(rig.outcome(status) == 0);
}

TEST_CASE("a reset in the middle forgets the commands, and the guest begins anew") {
  SsdRig rig;
  rig.attach();
  rig.in(kStatusEndpoint, 112, 1);
  rig.command(1, access_10(0x2a, 0, 8));
  rig.exchange();
  rig.guest.replies.clear();
  rig.attach();
  const auto status = rig.in(kStatusEndpoint, 112, 1);
  rig.command(1, {0});
  CHECK(rig.outcome(status) == 0);
}

TEST_CASE("data without a command is held up to a bound, and refused beyond it") {
  SsdRig rig;
  rig.attach();
  const std::vector<std::byte> data(std::size_t{4} << 20);
  std::vector<std::uint64_t> sent;
  for (std::uint32_t stream = 1; stream <= 9; ++stream) sent.push_back(rig.out(kDataOutEndpoint, data, stream));
  for (std::size_t i = 0; i < 8; ++i) CHECK(rig.reply(sent[i]) == nullptr);
  REQUIRE(rig.reply(sent[8]) != nullptr);
  CHECK(rig.reply(sent[8])->status == usb_redir_ioerror);
  rig.guest.parser.send_cancel_data_packet(sent[0]);
  CHECK(rig.reply(sent[0])->status == usb_redir_cancelled);
  CHECK(rig.reply(rig.out(kDataOutEndpoint, data, 9)) == nullptr);
}

TEST_CASE("one command with much data for a guest that reads nothing fills no memory") {
  SsdRig rig;
  rig.attach();
  for (int i = 0; i < 200; ++i) rig.in(kDataInEndpoint, 512 * 1024, 1);
  rig.exchange();
  // All that the disk has: 4 MiB, in eight of the requests.
  rig.command(1, access_10(0x28, 0, 8192));
  const auto bytes = usbredir::test::drain(rig.guest.parser);
  REQUIRE(rig.host->receive(bytes));
  std::size_t all = 0;
  std::size_t most = 0;
  while (!rig.host->pending().empty()) {
    most = std::max(most, rig.host->pending().size());
    all += rig.host->pending().size();
    rig.host->consume(rig.host->pending().size());
  }
  CHECK(all > std::size_t{4} << 20);
  CHECK(most < std::size_t{2} << 20);
}

TEST_CASE("INQUIRY of an SSD says what it is") {
  SsdRig rig;
  rig.attach();
  rig.in(kStatusEndpoint, 112, 1);
  const auto read = rig.in(kDataInEndpoint, 36, 1);
  rig.command(1, {0x12, 0, 0, 0, 36, 0});
  const auto data = rig.reply(read)->data;
  REQUIRE(data.size() == 36);
  CHECK(data[1] == std::byte{0});     // not removable
  CHECK(data[7] == std::byte{0x02});  // takes queued commands
  rig.in(kStatusEndpoint, 112, 2);
  const auto page = rig.in(kDataInEndpoint, 64, 2);
  rig.command(2, {0x12, 1, 0xb1, 0, 64, 0});
  REQUIRE(rig.reply(page)->data.size() == 64);
  CHECK(rig.reply(page)->data[5] == std::byte{1});  // does not turn
}
