#include "device-sim/emulation/faulty_device.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "device-sim/emulation/device_rig.h"
#include "device-sim/input/hid_function.h"
#include "device-sim/input/key_strokes.h"
#include "device-sim/input/keyboard.h"
#include "device-sim/storage/ssd.h"
#include "device-sim/storage/stick.h"
#include "device-sim/storage/test_support.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using device_sim::test::Reply;
using std::chrono::milliseconds;
using usbredir::HostState;

namespace {

Time fault_time{};

/// A stick whose faults can be set, at a guest that has configured it.
struct FaultyRig : DeviceRig {
  explicit FaultyRig(const std::string& faults = {}) : DeviceRig(usbredir::kUsualCapabilities) {
    fault_time = Time{} + std::chrono::seconds(1);
    auto device = std::make_unique<FaultyDevice>(
        std::make_unique<Stick>(std::make_unique<device_sim::test::MemoryStore>(64), Stick::defaults()));
    plug(std::move(device), [] { return fault_time; });
    configure();
    if (!faults.empty()) set(faults);
  }

  void set(const std::string& text) {
    const auto faults = parse_faults(text);
    REQUIRE(faults);
    for (const Fault& fault : *faults) REQUIRE(host->set_fault(fault));
    host->look();
  }

  static usb_redir_bulk_packet_header bulk(std::uint8_t endpoint, std::size_t size) {
    return {endpoint, 0, static_cast<std::uint16_t>(size), 0, static_cast<std::uint16_t>(size >> 16)};
  }
  std::size_t descriptor_length() { return control_in(0x80, 6, 0x0100, 0, 18).data.size(); }
  std::uint64_t ask(std::size_t size) {
    guest.parser.send(++id, bulk(Stick::kEndpointIn, size));
    exchange();
    return id;
  }
  Reply read(std::size_t size) {
    ask(size);
    return reply();
  }
  void command(std::uint32_t block, std::uint16_t count, bool in = true) {
    const auto wrapper = device_sim::test::command_wrapper(device_sim::test::access_10(in ? 0x28 : 0x2a, block, count),
                                                           count * kBlockSize, in);
    guest.parser.send(++id, bulk(Stick::kEndpointOut, wrapper.size()), wrapper);
    CHECK(int{reply().status} == usb_redir_success);
  }
  /// Reads a block; the status of the command.
  int block_read(std::uint32_t block = 0) {
    command(block, 1);
    if (read(512).status == usb_redir_stall) clear(Stick::kEndpointIn);
    const Reply status = read(13);
    REQUIRE(status.data.size() == 13);
    return std::to_integer<int>(status.data[12]);
  }
  void clear(std::uint8_t endpoint) {
    guest.parser.send(++id, usb_redir_control_packet_header{0, 1, 2, 0, 0, endpoint, 0});
    CHECK(int{reply().status} == usb_redir_success);
  }
  /// Nothing has come for the transfer sent last.
  bool waits() {
    exchange();
    return guest.replies.empty() || guest.replies.back().id != id;
  }
  void pass(milliseconds time) {
    fault_time += time;
    host->look();
    exchange();
  }
  Reply status_of_read() {
    command(0, 1);
    (void)read(512);
    return read(13);
  }
};

}  // namespace

TEST_CASE("the n-th transfer of an endpoint stalls, and the endpoint is halted until that is cleared") {
  FaultyRig rig("stall:endpoint=0x81:at=3");
  CHECK(rig.block_read() == 0);
  rig.command(0, 1);
  CHECK(int{rig.read(512).status} == usb_redir_stall);
  CHECK(int{rig.read(512).status} == usb_redir_stall);
  rig.clear(Stick::kEndpointIn);
  CHECK(rig.read(512).data.size() == 512);
  CHECK(rig.read(13).data.size() == 13);
  CHECK(rig.block_read() == 0);
}

TEST_CASE("without an endpoint all but control transfers count, and times= says how many are hit") {
  FaultyRig rig("error:at=2:times=2");
  CHECK(rig.descriptor_length() == 18);
  rig.command(0, 1);
  CHECK(int{rig.read(512).status} == usb_redir_ioerror);
  CHECK(int{rig.read(512).status} == usb_redir_ioerror);
  CHECK(rig.read(512).data.size() == 512);
}

TEST_CASE("a transfer without an answer is ended by the guest's cancel, and the next one is answered") {
  FaultyRig rig("timeout:endpoint=0x81");
  rig.command(0, 1);
  rig.ask(512);
  CHECK(rig.waits());
  rig.pass(milliseconds(60'000));
  CHECK(rig.waits());
  rig.guest.parser.send_cancel_data_packet(rig.id);
  CHECK(int{rig.reply().status} == usb_redir_cancelled);
  CHECK(rig.read(512).data.size() == 512);
}

TEST_CASE("a short transfer has so many bytes, babble none, and neither concerns what the guest writes") {
  FaultyRig rig("short:bytes=100 babble:at=2");
  rig.command(0, 1);
  CHECK(rig.read(512).data.size() == 100);
  CHECK(int{rig.read(13).status} == usb_redir_babble);
}

TEST_CASE("a silent device answers neither control transfers nor others, from its n-th transfer on") {
  FaultyRig rig("silent:at=2");
  CHECK(rig.descriptor_length() == 18);
  rig.command(0, 1);
  rig.ask(512);
  CHECK(rig.waits());
  rig.guest.parser.send(++rig.id, usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0100, 0, 18});
  CHECK(rig.waits());
  rig.guest.parser.send_cancel_data_packet(rig.id);
  CHECK(int{rig.reply().status} == usb_redir_cancelled);
  rig.host->clear_faults();
  rig.host->look();
  rig.exchange();
  CHECK(rig.guest.replies.back().data.size() == 512);
}

TEST_CASE("a silent device's control transfers are bounded") {
  FaultyRig rig("silent");
  for (int i = 0; i < 17; ++i) {
    rig.guest.parser.send(++rig.id, usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0100, 0, 18});
  }
  CHECK(int{rig.reply().status} == usb_redir_ioerror);
}

TEST_CASE("a slow device answers when its time has come, by latency and by rate, without anybody who sleeps") {
  FaultyRig rig("slow:endpoint=0x81:latency=20:rate=51200");
  rig.command(0, 2);
  rig.ask(512);
  rig.pass(milliseconds(19));
  CHECK(rig.waits());
  rig.pass(milliseconds(1));
  CHECK(rig.reply().data.size() == 512);
  rig.ask(512);
  rig.pass(milliseconds(29));  // 10 ms for 512 bytes, then 20
  CHECK(rig.waits());
  rig.pass(milliseconds(1));
  CHECK(rig.reply().data.size() == 512);
}

TEST_CASE("a slow device wakes its holder when an answer is due") {
  FaultyRig rig;
  std::mutex mutex;
  std::condition_variable woken;
  int wakes = 0;
  rig.host->set_wake([&] {
    const std::lock_guard lock(mutex);
    ++wakes;
    woken.notify_one();
  });
  const auto wait_for_wake = [&] {
    std::unique_lock lock(mutex);
    return woken.wait_for(lock, std::chrono::seconds(10), [&] { return wakes > 0; });
  };
  REQUIRE(rig.host->set_fault(parse_fault("unplug").value()));
  CHECK(wait_for_wake());  // the fake clock's time is over long ago
  rig.host->set_wake(nullptr);
}

TEST_CASE("the device is pulled out at the n-th transfer, in the middle of a command") {
  FaultyRig rig("unplug:at=2");
  rig.command(0, 1);
  CHECK(rig.host->state() == HostState::in_use);
  rig.ask(512);
  CHECK(rig.host->state() == HostState::device_gone);
  CHECK(rig.guest.events.back() == "disconnect");
  CHECK(rig.waits());
}

TEST_CASE("a storm of resets ends after so many, and resets without a failure do not count") {
  FaultyRig rig("reset-storm:resets=2");
  rig.configure();
  for (int i = 0; i < 2; ++i) {
    rig.guest.parser.send(++rig.id, FaultyRig::bulk(Stick::kEndpointIn, 13));
    CHECK(int{rig.reply().status} == usb_redir_ioerror);
    rig.configure();
    rig.configure();
  }
  CHECK(rig.block_read() == 0);
}

TEST_CASE("control transfers have faults when they are named") {
  FaultyRig rig("stall:endpoint=0:at=2 slow:endpoint=0:latency=5");
  const auto ask = [&] {
    rig.guest.parser.send(++rig.id, usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0100, 0, 18});
    CHECK(rig.waits());
    rig.pass(milliseconds(5));
    return int{rig.reply().status};
  };
  CHECK(ask() == usb_redir_success);
  CHECK(ask() == usb_redir_stall);
  CHECK(ask() == usb_redir_success);
}

TEST_CASE("a device shows the descriptors that it lies about, and works by the right ones") {
  FaultyRig rig("descriptors:lie=total-length descriptors:lie=no-configuration");
  const auto configuration = rig.control_in(0x80, 6, 0x0200, 0, 255).data;
  REQUIRE(configuration.size() == 32);
  CHECK(std::to_integer<int>(configuration[2]) == 96);
  CHECK(rig.control_in(0x80, 6, 0x0100, 0, 18).data[17] == std::byte{0});
  CHECK(rig.control_in(0x80, 6, 0x0300, 0, 255).data.size() == 4);
  CHECK(rig.block_read() == 0);
}

TEST_CASE("a device of the wrong speed says so and has the descriptors of its own") {
  auto device = std::make_unique<FaultyDevice>(
      std::make_unique<Stick>(std::make_unique<device_sim::test::MemoryStore>(64), Stick::defaults()));
  REQUIRE(device->set_fault(parse_fault("wrong-speed:speed=low").value()));
  DeviceRig rig(std::move(device));
  rig.exchange();
  CHECK(int{rig.guest.connect.speed} == usb_redir_speed_low);
  const unsigned packet = rig.guest.endpoints.max_packet_size[0x11];
  CHECK(packet == 512);
}

TEST_CASE("a stick's status has a wrong tag, the whole residue, or a phase error, once") {
  FaultyRig rig("tag:at=2 residue:at=3 phase:at=4");
  using device_sim::test::word_at;
  CHECK(word_at(rig.status_of_read().data, 4) == 0x1234);
  CHECK(word_at(rig.status_of_read().data, 4) != 0x1234);
  CHECK(word_at(rig.status_of_read().data, 8) == 512);
  CHECK(std::to_integer<int>(rig.status_of_read().data[12]) == 2);
  const auto sound = rig.status_of_read().data;
  CHECK(word_at(sound, 4) == 0x1234);
  CHECK(word_at(sound, 8) == 0);
  CHECK(sound[12] == std::byte{0});
}

TEST_CASE("bad blocks can be neither read nor written, and their neighbours can") {
  FaultyRig rig("medium-error:block=10:blocks=2");
  CHECK(rig.block_read(9) == 0);
  CHECK(rig.block_read(10) == 1);
  CHECK(rig.block_read(11) == 1);
  CHECK(rig.block_read(12) == 0);
  rig.command(11, 1, false);
  const std::vector<std::byte> data(512);
  rig.guest.parser.send(++rig.id, FaultyRig::bulk(Stick::kEndpointOut, data.size()), data);
  CHECK(int{rig.reply().status} == usb_redir_stall);
  const Fault beyond = parse_fault("medium-error:block=64").value();
  CHECK(rig.host->set_fault(beyond).error().cause == "the disk ends before that block");
}

TEST_CASE("a unit attention fails one command, and says what was given") {
  FaultyRig rig("unit-attention:code=0x2a09");
  const std::vector<std::uint8_t> ready(6), sense = {3, 0, 0, 0, 18, 0}, inquiry = {0x12, 0, 0, 0, 36, 0};
  const auto run = [&](const std::vector<std::uint8_t>& command, std::uint32_t size) {
    const auto wrapper = device_sim::test::command_wrapper(command, size, true);
    rig.guest.parser.send(++rig.id, FaultyRig::bulk(Stick::kEndpointOut, wrapper.size()), wrapper);
    (void)rig.reply();
    const auto data = size > 0 ? rig.read(size).data : std::vector<std::byte>{};
    return std::pair(data, std::to_integer<int>(rig.read(13).data[12]));
  };
  CHECK(run(inquiry, 36).second == 0);
  CHECK(run(ready, 0).second == 1);
  const auto told = run(sense, 18).first;
  CHECK(std::to_integer<int>(told[2]) == 6);
  CHECK(std::to_integer<int>(told[12]) == 0x2a);
  CHECK(std::to_integer<int>(told[13]) == 0x09);
  CHECK(run(ready, 0).second == 0);
}

TEST_CASE("a keyboard loses the report that is hit, and a slow one is late") {
  fault_time = Time{} + std::chrono::seconds(1);
  KeyboardOptions options;
  options.strokes = key_strokes("ab").value();
  options.delay = milliseconds(10);
  auto device = std::make_unique<FaultyDevice>(std::make_unique<Keyboard>(options));
  REQUIRE(device->set_fault(parse_fault("error:at=2").value()));
  REQUIRE(device->set_fault(parse_fault("slow:latency=50").value()));
  DeviceRig rig(std::move(device), [] { return fault_time; });
  rig.configure();
  rig.start_receiving(HidFunction::kEndpoint);
  std::vector<int> statuses;
  std::vector<long> times;
  for (long at = 0; at < 300; at += 10) {
    for (const Reply& report : rig.interrupts()) {
      statuses.push_back(report.status);
      times.push_back(at);
    }
    fault_time += milliseconds(10);
    rig.host->look();
  }
  CHECK(statuses == std::vector<int>{usb_redir_success, usb_redir_ioerror, usb_redir_success, usb_redir_success});
  CHECK(times == std::vector<long>{10, 60, 110, 160});
}

TEST_CASE("the status unit of a UAS disk has a wrong tag") {
  auto device = std::make_unique<FaultyDevice>(
      std::make_unique<Ssd>(std::make_unique<device_sim::test::MemoryStore>(64), Ssd::defaults()));
  CHECK(device->set_fault(parse_fault("phase").value()).error().cause == "its status units (UAS) have no such field");
  REQUIRE(device->set_fault(parse_fault("tag").value()));
  device->select(0, 1);
  device->set_streams(0x83, 16);
  std::vector<std::byte> command(32);
  command[0] = std::byte{1};
  command[3] = std::byte{5};
  REQUIRE(device->out({0x04, 0}, command).done);
  std::vector<std::byte> room(96);
  const InReply reply = device->in({0x83, 5}, room);
  REQUIRE(reply.kind == InReply::Kind::data);
  CHECK(room[0] == std::byte{3});
  CHECK(room[2] == std::byte{0x12});
  CHECK(room[3] == std::byte{5});
}
