// The whole road with hardware at its beginning: a second virtual machine with a kernel of its own plays the person's,
// QEMU's usb-storage is the stick in it, and the client takes it through libusb.
#include <doctest/doctest.h>

#include <future>

#include "common/test_text.h"
#include "e2e/acceptance/client_machine.h"
#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/slot_node.h"
#include "e2e/harness/usbredir_bytes.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

std::vector<std::string> stick_hardware(const fs::path& image, int port = 1) {
  const std::string drive = "drive" + std::to_string(port);
  return {
      "-drive", "if=none,id=" + drive + ",format=raw,file=" + image.string(), "-device",
      "usb-storage,bus=xhci.0,id=stick" + std::to_string(port) + ",port=" + std::to_string(port) + ",drive=" + drive};
}

/// How many guards wait for the end of a client in the person's machine.
std::string guards(ClientMachine& machine) { return machine.console().run("ps | grep -c -- '--give-bac[k]'").output; }

void signal_guards(ClientMachine& machine, const std::string& signal) {
  machine.console().must_run("ps | grep -- '--give-bac[k]' | while read -r pid rest; do kill -" + signal +
                             " $pid; done");
}

}  // namespace

TEST_CASE("a stick in the person's machine is taken from its driver, read and written in the guest, and given back") {
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  const fs::path image = dir.path() / "stick.img";
  std::string content = random_bytes(16 * kMiB, 1);
  write_file(image, content);
  ClientMachine machine(dir, stick_hardware(image), loop.kubeconfig());
  GuestConsole& guest = vmi.boot();

  // usb-storage is a SuperSpeed device: bus 2. Selected by its ids, then by its place.
  for (const std::string& selector : {std::string("46f4:0001"), machine.bus_device("2-1")}) {
    CAPTURE(selector);
    CHECK(wait_disk(machine.console(), "2-1") == "sda");
    std::size_t here = machine.console().mark();
    std::size_t there = guest.mark();
    const std::string line = machine.start_client(selector + " demo");
    CHECK(contains(line, "46f4:0001"));
    CHECK(contains(line, "VMI default/demo"));
    CHECK_NOTHROW(machine.console().wait_for_line("usbloop-guest: disk remove sda", 5s, here));
    CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb add 46f4:0001", 10s, there));
    const std::string disk = wait_disk(guest, "2-1");
    CHECK(guest_sha256(guest, disk, 16 * kMiB) == sha256_of(content));

    guest.must_run("printf '" + selector + "' | dd of=/dev/" + disk + " bs=512 seek=77 conv=notrunc,fsync");
    content.replace(77 * 512, selector.size(), selector);

    here = machine.console().mark();
    there = guest.mark();
    CHECK(machine.stop_client() == 0);
    CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 5s, there));
    CHECK_NOTHROW(machine.console().wait_for_line("usbloop-guest: disk add sda", 10s, here));
    CHECK(guest_sha256(machine.console(), "sda", 16 * kMiB) == sha256_of(content));
  }
}

TEST_CASE("a client that is killed leaves the stick with its driver, and with both killed --give-back mends it") {
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  const fs::path image = dir.path() / "stick.img";
  const std::string content = random_bytes(4 * kMiB, 1);
  write_file(image, content);
  ClientMachine machine(dir, stick_hardware(image), loop.kubeconfig());
  GuestConsole& guest = vmi.boot();
  GuestConsole& console = machine.console();
  CHECK(wait_disk(console, "2-1") == "sda");

  for (const bool both : {false, true}) {
    CAPTURE(both);
    std::size_t there = guest.mark();
    machine.start_client("46f4:0001 demo");
    // Within execve(2) a process has no command line for a moment.
    wait_until("a guard", 5s, [&] { return guards(machine) == "1"; });
    // In the middle of a transfer, which the driver has to get over.
    const std::string disk = wait_disk(guest, "2-1");
    guest.must_run("(dd if=/dev/" + disk + " of=/dev/null bs=64k >/dev/null 2>&1 &)");
    const std::size_t here = console.mark();
    if (both) signal_guards(machine, "KILL");
    machine.kill_client();
    CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 5s, there));
    if (both) {
      CHECK(console.run("ls /sys/block | grep -c '^sd'").output == "0");
      const GuestResult said = machine.run_client("--give-back " + machine.bus_device("2-1"));
      CHECK_MESSAGE((said.status == 0 && contains(said.output, "with its driver usb-storage")), said.output);
    }
    CHECK_NOTHROW(console.wait_for_line("usbloop-guest: disk add sda", 10s, here));
    CHECK(guest_sha256(console, "sda", 4 * kMiB) == sha256_of(content));
    wait_until("no guard is left", 5s, [&] { return guards(machine) == "0"; });
  }
}

TEST_CASE(
    "a stick that is pulled out and plugged in again is redirected again, at another port too, and never its twin") {
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  std::vector<std::string> devices;
  std::vector<std::string> content;
  for (const std::string name : {"mine", "twin"}) {
    content.push_back(random_bytes(kMiB, content.size()));
    write_file(dir.path() / (name + ".img"), content.back());
    devices.insert(devices.end(), {"-blockdev", "driver=raw,node-name=" + name + ",file.driver=file,file.filename=" +
                                                    (dir.path() / (name + ".img")).string()});
  }
  ClientMachine machine(dir, devices, loop.kubeconfig());
  GuestConsole& guest = vmi.boot();
  const auto plug = [&](const std::string& name, int port) {
    machine.plug("usb-storage,bus=xhci.0,serial=" + name + ",drive=" + name + ",port=" + std::to_string(port), name);
  };
  plug("mine", 1);
  CHECK(wait_disk(machine.console(), "2-1") == "sda");
  machine.start_client("46f4:0001 demo");
  CHECK(guest_sha256(guest, wait_disk(guest, "2-1"), kMiB) == sha256_of(content[0]));

  std::size_t mark = guest.mark();
  machine.unplug("mine");
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 10s, mark));
  mark = guest.mark();
  plug("twin", 1);
  wait_disk(machine.console(), "2-1");
  plug("mine", 2);
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb add 46f4:0001", 20s, mark));
  CHECK(guest_sha256(guest, wait_disk(guest, "2-1"), kMiB) == sha256_of(content[0]));
  CHECK(wait_disk(machine.console(), "2-1") != "");  // the twin is with its driver
  CHECK_MESSAGE(contains(machine.client_output(), "the serial number mine is unplugged"), machine.client_output());
  CHECK(machine.stop_client() == 0);
  CHECK_NOTHROW(wait_disk(machine.console(), "2-2"));
}

TEST_CASE("a stick that is pulled out while nobody reads it ends the redirection, and a guard that comes too late") {
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  std::vector<std::string> devices;
  for (const int port : {1, 2}) {
    const fs::path image = dir.path() / ("stick" + std::to_string(port) + ".img");
    make_random_image(image, kMiB, static_cast<unsigned>(port));
    for (const std::string& argument : stick_hardware(image, port)) devices.push_back(argument);
  }
  ClientMachine machine(dir, devices, loop.kubeconfig());
  GuestConsole& guest = vmi.boot();

  std::size_t there = guest.mark();
  machine.start_client("--once -vv " + machine.bus_device("2-1") + " demo");
  wait_disk(guest, "2-1");
  CHECK(machine.status_after([&] { machine.unplug("stick1"); }) == 1);
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 5s, there));
  CHECK_MESSAGE(contains(machine.client_output(), "unplugged"), machine.client_output());
  // -vv tells of each transfer, in the log's form; libusb's own dozen lines for each stay away.
  CHECK(machine.console().run("grep -c 'trace .*bulk submit' /tmp/client.log").status == 0);
  const GuestResult others = machine.console().run("grep 'libusb: ' /tmp/client.log");
  CHECK_MESSAGE(others.status == 1, others.output);
  wait_until("no guard is left", 5s, [&] { return guards(machine) == "0"; });

  there = guest.mark();
  machine.start_client(machine.bus_device("2-2") + " demo");
  wait_disk(guest, "2-1");
  signal_guards(machine, "STOP");
  machine.kill_client();
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 5s, there));
  machine.unplug("stick2");
  wait_until("the stick is gone from the person's machine", 5s,
             [&] { return machine.console().run("test -e /sys/bus/usb/devices/2-2").status != 0; });
  CHECK(guards(machine) == "1");
  signal_guards(machine, "CONT");
  wait_until("no guard is left", 5s, [&] { return guards(machine) == "0"; });
}

TEST_CASE("a guest's side that breaks the protocol ends the session with the cause, and the stick goes back") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}, .sans = {"10.0.2.2"}});
  SlotNode node(loop, Way::handoff);
  const fs::path image = dir.path() / "stick.img";
  make_random_image(image, kMiB, 1);
  ClientMachine machine(dir, stick_hardware(image), loop.kubeconfig());
  const std::string bulk_of_300_mb("\x65\0\0\0\0\0\0\x12\0\0\0\0\0\0\0\0", 16);
  for (const auto& [packet, cause] :
       {std::pair{bulk_of_300_mb, "longer than the limit"}, std::pair{qemu_hello(), "a second hello"},
        std::pair{usbredir_packet(usbredir_control, 1, "short"), "length"}}) {
    CAPTURE(cause);
    CHECK(wait_disk(machine.console(), "2-1") == "sda");
    const std::size_t here = machine.console().mark();
    auto client = std::async(std::launch::async, [&] { return machine.run_client("46f4:0001 demo"); });
    const auto slot = node.accept(0);
    CHECK(slot->send(qemu_hello()));
    slot->receive_through("\xf4\x46", 10s);  // the vendor's id in device_connect
    CHECK(slot->send(packet));
    CHECK_NOTHROW(slot->receive_to_end(10s));
    const GuestResult said = client.get();
    CHECK(said.status == 1);
    CHECK_MESSAGE(contains(said.output, cause), said.output);
    CHECK_NOTHROW(machine.console().wait_for_line("usbloop-guest: disk add sda", 10s, here));
  }
}

TEST_CASE("choosing among the devices of a real machine: unknown, ambiguous, and without permission") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}, .sans = {"10.0.2.2"}});
  const fs::path image = dir.path() / "stick.img";
  make_random_image(image, kMiB, 1);
  std::vector<std::string> devices = stick_hardware(image);
  devices.insert(devices.end(), {"-device", "usb-kbd,bus=xhci.0,port=2", "-device", "usb-mouse,bus=xhci.0,port=3"});
  ClientMachine machine(dir, devices, loop.kubeconfig());
  const std::string keyboard = machine.bus_device("1-2");
  const std::string mouse = machine.bus_device("1-3");
  const std::string stick = machine.bus_device("2-1");

  const GuestResult unknown = machine.run_client("dead:beef demo");
  CHECK(unknown.status == 1);
  CHECK_MESSAGE(contains(unknown.output, "dead:beef"), unknown.output);

  const GuestResult nowhere = machine.run_client("1-99 demo");
  CHECK(nowhere.status == 1);
  CHECK_MESSAGE(contains(nowhere.output, "1-99"), nowhere.output);

  // QEMU's keyboard and mouse have the same ids. At a terminal, as the console is one, a person would be asked.
  const GuestResult ambiguous = machine.run_client("0627:0001 demo </dev/null");
  CHECK(ambiguous.status == 1);
  CHECK_MESSAGE(contains(ambiguous.output, keyboard), ambiguous.output);
  CHECK_MESSAGE(contains(ambiguous.output, mouse), ambiguous.output);

  const GuestResult denied = machine.run_client("46f4:0001 demo", "nobody");
  CHECK(denied.status == 1);
  CHECK_MESSAGE(contains(denied.output, "/dev/bus/usb/00"), denied.output);
  CHECK_MESSAGE((contains(denied.output, "udev") && contains(denied.output, "sudo")), denied.output);

  // None of this has touched a driver.
  CHECK(wait_disk(machine.console(), "2-1") == "sda");
  CHECK(machine.console().run("ls /sys/bus/usb/drivers/usbhid | grep -c :").output == "2");
}
