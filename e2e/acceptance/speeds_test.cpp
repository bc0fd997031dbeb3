// Every USB device that QEMU has, at every speed, on every kind of USB controller that a person's machine may have. The
// device is taken from its driver here, used in the guest, given back, and pulled out. docs/hardware.md keeps the
// table.
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <regex>

#include "common/test_text.h"
#include "e2e/acceptance/devices/device.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

/// How often each device is attached, half of the times on each controller.
constexpr int kAttaches = USBLOOP_ATTACHES;

/// A controller of the person's machine.
struct Controller {
  const char* name;
  const char* port;    ///< of the device, in QEMU's words
  const char* driver;  ///< the kernel's there
};
constexpr Controller kSuperPort{"xHCI", "bus=xhci.0,port=2", "xhci_hcd"};
constexpr Controller kUsb2Port{"xHCI, USB 2 only", "bus=xhci2.0,port=2", "xhci_hcd"};
constexpr Controller kEhci{"EHCI", "bus=ehci.0,port=2", "ehci-pci"};
constexpr Controller kUhci{"UHCI", "bus=uhci.0,port=2", "uhci_hcd"};

const std::vector<std::string> kControllers = {"-device", "qemu-xhci,id=xhci2,p2=4,p3=0", "-device", "usb-ehci,id=ehci",
                                               "-device", "piix3-usb-uhci,id=uhci"};

/// In Mb/s, as sysfs tells it in both machines.
enum class Megabits { full = 12, high = 480, super = 5000 };

std::string to_string(Megabits speed) {
  switch (speed) {
    case Megabits::full: return "full, 12 Mb/s";
    case Megabits::high: return "high, 480 Mb/s";
    case Megabits::super: return "super, 5 Gb/s";
  }
  return {};
}

struct Row {
  std::string device;
  Megabits speed;
  std::vector<Controller> controllers;
  std::string data;
  DevicePtr hardware;
  int good = 0;
  std::vector<std::string> failures;

  [[nodiscard]] std::string line() const {
    std::string names;
    for (const Controller& controller : controllers)
      names += (names.empty() ? "" : "; ") + std::string(controller.name);
    return "| " + device + " | " + to_string(speed) + " | " + names + " | " + std::to_string(good) + " of " +
           std::to_string(kAttaches) + " | " + data + " |";
  }
};

std::vector<Row> all_rows() {
  const std::string keys = "keys pressed and released, read from evdev";
  const std::string moves = "a move and a click, read from evdev";
  const std::string places = "a place and a click, read from evdev";
  const std::string disk = "1 MiB read (sha256), a sector written";
  const std::string files = "MTP session: list, fetch 3,000 bytes";
  std::vector<Row> rows;
  const auto add = [&](const char* device, Megabits speed, std::vector<Controller> controllers, const std::string& data,
                       DevicePtr hardware) {
    rows.push_back({device, speed, std::move(controllers), data, std::move(hardware), 0, {}});
  };
  const std::vector<Controller> full = {kUsb2Port, kUhci};
  const std::vector<Controller> high = {kUsb2Port, kEhci};
  add("keyboard (`usb-kbd`)", Megabits::full, full, keys, make_keyboard(1));
  add("mouse (`usb-mouse`)", Megabits::full, full, moves, make_mouse(1));
  add("serial adapter, FTDI (`usb-serial`)", Megabits::full, full, "2,048 bytes in, 600 bytes out",
      make_serial_adapter());
  add("sound (`usb-audio`)", Megabits::full, full, "a second played, by isochronous transfers", make_sound_device());
  add("smart-card reader (`usb-ccid`)", Megabits::full, full, "power on, a command and its answer",
      make_smart_card_reader());
  add("network adapter (`usb-net`)", Megabits::full, full, "ping, 30,000 bytes fetched (sha256)",
      make_network_adapter());
  // Where it can be of high speed, it is.
  add("media device (`usb-mtp`)", Megabits::full, {kUhci}, files, make_media_device("phone1"));
  add("stick (`usb-storage`)", Megabits::full, {kUhci}, disk, make_stick("stick1"));
  add("keyboard (`usb-kbd`)", Megabits::high, high, keys, make_keyboard(2));
  add("tablet (`usb-tablet`)", Megabits::high, high, places, make_tablet(2));
  add("stick (`usb-storage`)", Megabits::high, high, disk, make_stick("stick2"));
  add("disk, UAS (`usb-uas`)", Megabits::high, high, disk, make_uas_disk("uas2"));
  // Not on xHCI: docs/hardware.md says why.
  add("media device (`usb-mtp`)", Megabits::high, {kEhci}, files, make_media_device("phone2"));
  add("stick (`usb-storage`)", Megabits::super, {kSuperPort}, disk, make_stick("stick3"));
  add("disk, UAS (`usb-uas`)", Megabits::super, {kSuperPort}, disk, make_uas_disk("uas3"));
  return rows;
}

/// The only device in the person's machine, as its kernel names it: "3-2".
std::string wait_plugged(ClientMachine& machine) {
  std::string name;
  wait_until("the device in the person's machine", 30s, [&] {
    name = machine.console().run("ls /sys/bus/usb/devices | grep -E '^[0-9]+-[0-9.]+$'").output;
    return std::regex_match(name, std::regex("[0-9]+-[0-9.]+"));
  });
  return name;
}

void wait_nothing_plugged(ClientMachine& machine) {
  wait_until("the person's machine to have no device", 30s, [&] {
    return machine.console().run("ls /sys/bus/usb/devices | grep -qE '^[0-9]+-[0-9.]+$'").status != 0;
  });
}

void require(bool condition, const std::string& what) {
  if (!condition) throw Failure(what);
}

class Table {
 public:
  Table(ClientMachine& machine, GuestConsole& guest) : machine_(machine), guest_(guest) {}

  void fill(Row& row) {
    const int turns = static_cast<int>(row.controllers.size());
    int round = 0;
    for (int turn = 0; turn < turns; ++turn) {
      const int last = kAttaches * (turn + 1) / turns;
      try {
        plug(row, row.controllers[static_cast<std::size_t>(turn)]);
      } catch (const std::exception& failure) {
        row.failures.push_back(failure.what());
        round = last;
      }
      for (; round < last; ++round) attempt(row, round, round + 1 == last);
      machine_.kill_client_if_any();
      machine_.unplug_if_there("device");
      wait_nothing_plugged(machine_);
    }
  }

 private:
  void plug(const Row& row, const Controller& controller) {
    row.hardware->plug(machine_, controller.port, "device");
    here_ = wait_plugged(machine_);
    const std::string device = "/sys/bus/usb/devices/" + here_;
    const std::string speed = machine_.console().must_run("cat " + device + "/speed");
    require(speed == std::to_string(static_cast<int>(row.speed)), "here the device has another speed: " + speed);
    const std::string driver = machine_.console().must_run("basename $(readlink -f " + device + "/../../driver)");
    require(driver == controller.driver, "here the device is at another controller: " + driver);
    place_ = machine_.bus_device(here_);
  }

  void attempt(Row& row, int round, bool pull_out) {
    try {
      attach(row, round, pull_out);
      ++row.good;
    } catch (const std::exception& failure) {
      machine_.kill_client_if_any();
      guest_.start_over();  // its shell may still wait for data
      row.failures.push_back("attach " + std::to_string(round + 1) + ": " + failure.what() +
                             "; the client: " + machine_.client_output() +
                             "; the guest's kernel: " + guest_.run("dmesg | tail -n 5").output);
    }
  }

  void attach(Row& row, int round, bool pull_out) {
    const std::size_t there = guest_.mark();
    // As it is: for a slow enough machine the way is long, and the stick would be a UAS disk of another speed.
    machine_.start_client("--once --force --transport bulk-only " + place_ + " demo");
    const auto speed = std::to_string(static_cast<int>(row.speed));
    const std::string added = guest_.wait_for_line("usbloop-guest: usb add .* speed=" + speed + " ", 60s, there);
    const std::string name = added.substr(added.rfind("path=") + 5);
    row.hardware->exchange(machine_, {guest_, name}, round);
    if (pull_out) {
      const int status = machine_.status_after([&] { machine_.unplug("device"); });
      require(status == 1, "pulled out, the client ended with " + std::to_string(status));
      require(contains(machine_.client_output(), "unplugged"), "the client said: " + machine_.client_output());
    } else {
      const int status = machine_.stop_client();
      require(status == 0, "the client ended with " + std::to_string(status) + ": " + machine_.client_output());
    }
    guest_.wait_for_line("usbloop-guest: usb remove .* path=" + name, 30s, there);
  }

  ClientMachine& machine_;
  GuestConsole& guest_;
  std::string here_;   // the port
  std::string place_;  // the same device as BUS-DEVICE
};

}  // namespace

TEST_CASE(
    "each USB device that QEMU has works in the guest at each of its speeds, and is noticed when it is pulled out") {
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  std::vector<Row> rows = all_rows();
  std::vector<std::string> arguments = kControllers;
  for (const Row& row : rows) {
    for (const std::string& argument : row.hardware->backend(dir.path())) arguments.push_back(argument);
  }
  ClientMachine machine(dir, arguments, loop.kubeconfig());
  Table table(machine, vmi.boot());

  // For whoever works on one of them: a part of a row, "FTDI" or "high, 480".
  const char* only = std::getenv("USBLOOP_ONLY_DEVICE");
  std::string text = "| device | speed | on | attached | data through it, in the guest |\n|---|---|---|---|---|\n";
  for (Row& row : rows) {
    if (only != nullptr && !contains(row.line(), only)) continue;
    const Stopwatch watch;
    table.fill(row);
    text += row.line() + "\n";
    std::cout << row.line() << " (" << watch.elapsed().count() / 1000 << " s)" << std::endl;
    for (const std::string& failure : row.failures) std::cout << "    " << failure << std::endl;
    CHECK(row.good == kAttaches);
  }
  std::cout << text << "Low speed (1.5 Mb/s): no device of QEMU's has it." << std::endl;
}
