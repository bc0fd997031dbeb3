#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "device-sim/emulation/faulty_device.h"
#include "device-sim/input/key_strokes.h"
#include "device-sim/input/keyboard.h"
#include "device-sim/kinds.h"
#include "device-sim/replay/replay_rig.h"
#include "device-sim/serial/echo.h"
#include "device-sim/serial/serial_port.h"
#include "device-sim/storage/stick.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::replay;
using usbloop::testing::contains;

namespace {

std::unique_ptr<Device> recorded_stick() {
  StorageOptions options = Stick::defaults();
  options.serial = "R1";
  auto faulty = std::make_unique<FaultyDevice>(
      std::make_unique<Stick>(std::make_unique<device_sim::test::MemoryStore>(64), options));
  return faulty;
}

template <typename T>
Error refused(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return result.error();
}

void use_stick(ReplayGuest& guest) {
  guest.enumerate();
  guest.control(0xa1, 0xfe, 0, 0, 1);
  guest.read_block(3, 1);
  guest.read_block(4, 2);
}

}  // namespace

TEST_CASE("a recorded stick answers as it did, and descriptors may be read again in any order") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "stick.pcapng";
  const std::string answers = record(path, recorded_stick(), use_stick);
  ReplayGuest guest = replay_of(path);
  use_stick(guest);
  CHECK(guest.trouble() == "");
  CHECK(guest.answers() == answers);
  CHECK(guest.host->device().id() == "0951:1666");
  CHECK(guest.host->device().serial == "R1");
  CHECK(int{guest.guest.connect.speed} == usb_redir_speed_high);

  ReplayGuest other = replay_of(path);
  other.descriptor(0x0303, 255, 0x0409);
  other.enumerate();
  other.descriptor(0x0302, 255, 0x0409);  // not in the recording: a stall, as of a device without it
  CHECK(int{other.guest.replies.back().status} == usb_redir_stall);
  other.control(0xa1, 0xfe, 0, 0, 1);
  other.control(0xa1, 0xfe, 0, 0, 1);
  CHECK(other.guest.replies.back().data.size() == 1);
  other.read_block(3, 1);
  other.read_block(4, 2);
  CHECK(other.guest.replies.back().data.size() == 13);
  CHECK(other.trouble() == "");
}

TEST_CASE("a replay that goes astray says at which record, what came and what was expected") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "stick.pcapng";
  record(path, recorded_stick(), use_stick);
  {
    ReplayGuest guest = replay_of(path);
    guest.enumerate();
    guest.control(0xa1, 0xfe, 0, 0, 1);
    guest.read_block(5, 1);
    const std::string trouble = guest.trouble();
    CHECK_MESSAGE(contains(trouble, "cannot go on with the replay of stick.pcapng at record "), trouble);
    CHECK_MESSAGE(
        contains(trouble, "the guest gives the command 28 00 00 00 00 05 00 00 01 00 with 512 bytes, which it did not"),
        trouble);
    CHECK(guest.guest.events.back() == "disconnect");
  }
  {
    ReplayGuest guest = replay_of(path);
    guest.enumerate();
    guest.control(0x21, 0xff, 0, 0, 0);
    CHECK_MESSAGE(contains(guest.trouble(),
                           "the guest asks for bmRequestType 0x21 bRequest 255 wValue 0x0000 wIndex "
                           "0x0000 wLength 0, expected bmRequestType 0xa1 bRequest 254"),
                  guest.trouble());
  }
  {
    ReplayGuest guest = replay_of(path);
    use_stick(guest);
    guest.read_block(6, 3);
    CHECK_MESSAGE(contains(guest.trouble(), "behind its last command: the guest gives the command 28 "),
                  guest.trouble());
  }
  {
    ReplayGuest guest = replay_of(path);
    guest.enumerate();
    guest.control(0xa1, 0xfe, 0, 0, 1);
    guest.write(Stick::kEndpointOut,
                device_sim::test::command_wrapper(device_sim::test::access_10(0x28, 3, 1), kBlockSize, true, 1));
    guest.read(Stick::kEndpointIn, 100);
    CHECK_MESSAGE(contains(guest.trouble(), "asks endpoint 0x81 for 100 bytes, expected 512 or more"), guest.trouble());
  }
}

TEST_CASE("endpoints have orders of their own, and an answer does not come before what it answers") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "serial.pcapng";
  const std::vector<std::byte> hello(5, std::byte{'h'}), world(7, std::byte{'w'});
  const std::string answers = record(path, std::make_unique<SerialPort>(SerialPortOptions{}, std::make_unique<Echo>()),
                                     [&](ReplayGuest& guest) {
                                       guest.enumerate();
                                       guest.control(0x21, 0x22, 3, 0, 0);
                                       guest.write(SerialPort::kOut, hello);
                                       guest.read(SerialPort::kIn, 64);
                                       guest.write(SerialPort::kOut, world);
                                       guest.read(SerialPort::kIn, 64);
                                     });
  ReplayGuest guest = replay_of(path);
  guest.enumerate();
  guest.control(0x21, 0x22, 3, 0, 0);
  guest.read(SerialPort::kIn, 64);
  guest.read(SerialPort::kIn, 64);
  const std::size_t before = guest.guest.replies.size();
  guest.write(SerialPort::kOut, hello);
  REQUIRE(guest.guest.replies.size() == before + 2);
  CHECK(guest.guest.replies.back().data == hello);
  guest.write(SerialPort::kOut, world);
  CHECK(guest.guest.replies.back().data == world);
  CHECK(guest.trouble() == "");
  CHECK_FALSE(answers.empty());
}

TEST_CASE("a recorded keyboard types again, in the time that it took") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "keyboard.pcapng";
  KeyboardOptions options;
  options.strokes = key_strokes("ab").value();
  const auto listen = [](ReplayGuest& guest) {
    guest.enumerate();
    guest.control(0x81, 6, 0x2200, 0, 255);
    guest.control(0x21, 0x0a, 0, 0, 0);
    guest.guest.parser.send(++guest.id, usb_redir_start_interrupt_receiving_header{0x81});
    guest.carry();
  };
  const std::string answers = record(path, std::make_unique<Keyboard>(options), listen);
  ReplayGuest guest = replay_of(path);
  listen(guest);
  CHECK(guest.trouble() == "");
  CHECK(guest.guest.interrupts.size() == 4);
  CHECK(guest.answers() == answers);
}

TEST_CASE("a stall and a bus error are replayed, and a transfer that was given up is not answered again") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "stick.pcapng";
  auto device = recorded_stick();
  REQUIRE(device->set_fault(parse_fault("stall:at=2").value()));
  REQUIRE(device->set_fault(parse_fault("error:at=3").value()));
  REQUIRE(device->set_fault(parse_fault("timeout:at=4").value()));
  const auto use = [](ReplayGuest& guest) {
    guest.enumerate();
    guest.write(Stick::kEndpointOut,
                device_sim::test::command_wrapper(device_sim::test::access_10(0x28, 3, 1), kBlockSize, true, 1));
    guest.read(Stick::kEndpointIn, 512);
    guest.control(0x02, 1, 0, Stick::kEndpointIn, 0);
    guest.read(Stick::kEndpointIn, 512);
    guest.read(Stick::kEndpointIn, 512);
    guest.guest.parser.send_cancel_data_packet(guest.id);
    guest.carry();
  };
  const std::string answers = record(path, std::move(device), use);
  ReplayGuest guest = replay_of(path);
  use(guest);
  CHECK(guest.trouble() == "");
  CHECK(guest.answers() == answers);
}

TEST_CASE("what is no whole recording is refused with the reason") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "stick.pcapng";
  record(path, recorded_stick(), use_stick);
  CHECK(refused(load(path, 2)).cause == "it has no device 2");
  CHECK(refused(load(path, std::nullopt, 700)).cause == "it is too long");
  const auto cut = folder.path / "cut.pcapng";
  record(cut, recorded_stick(), use_stick, 64);
  CHECK(contains(refused(load(cut)).cause, "has not all of its data"));
  CHECK(refused(load(cut)).hint == "Record without --capture-snap.");
  const auto late = folder.path / "late.pcapng";
  record(late, recorded_stick(), [](ReplayGuest& guest) { guest.control(0xa1, 0xfe, 0, 0, 1); });
  CHECK(refused(load(late)).cause == "it has no device descriptor");
  std::istringstream junk("no capture at all, but long enough for one");
  CHECK(refused(read_recording(junk)).kind == ErrorKind::protocol);

  const auto error_of = [](const std::string& spec) { return refused(make_host_end(spec)); };
  CHECK(error_of("replay").cause == "file= is missing");
  CHECK(error_of("replay,file=" + (folder.path / "none").string()).kind == ErrorKind::not_found);
  CHECK(error_of("replay,file=" + folder.path.string()).cause == "Is a directory");
  CHECK(error_of("replay,file=" + path.string() + ",device=128").cause == "device=128 is not a number of a device");
  CHECK(error_of("replay,file=" + path.string() + ",speed=fast").cause == "speed=fast is not a speed");
  CHECK(error_of("replay,file=" + cut.string()).message().starts_with("cannot replay " + cut.string() + ": record "));
  CHECK(make_host_end("replay,file=" + path.string() + ",device=1"));
  auto unknown = load(path).value();
  unknown.speed.reset();
  CHECK(refused(ReplayDevice::make(unknown, std::nullopt, "x")).cause == "it does not say the device's speed");
  CHECK(ReplayDevice::make(unknown, usbredir::Speed::full, "x").value()->description().speed == usbredir::Speed::full);
}
