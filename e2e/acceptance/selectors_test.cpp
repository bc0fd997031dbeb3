// Six devices in the person's machine, two of them twins: each is named by each selector that can name it, and the
// guest gets that one and no other. The rounds end in every way that a redirection can end on a desk.
#include <doctest/doctest.h>

#include "common/test_text.h"
#include "e2e/acceptance/devices/device.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;

namespace {

enum class By { place, port, serial, id };

/// Whether data pass in each round. Where the whole test has to be short, they do once with each device and again after
/// each way to come back.
constexpr bool kAlwaysData = USBLOOP_ALWAYS_DATA;

/// A device of the person's desk.
struct Piece {
  std::string port;    ///< as the kernel there names it
  std::string place;   ///< in QEMU's words
  std::string driver;  ///< that holds it there
  DevicePtr device;
  std::string id = {};  ///< as this and the serial number are seen there
  std::string serial = {};

  [[nodiscard]] std::string name() const { return "piece" + port; }
};

struct Choice {
  std::size_t piece;
  By by;
};
using Choices = std::vector<Choice>;

enum : std::size_t { kOne, kOther, kKeyboard, kMouse, kSerial, kSound };

std::vector<Piece> all_pieces() {
  std::vector<Piece> pieces;
  const auto add = [&](int bus, int port, const std::string& more, const char* driver, DevicePtr device) {
    pieces.push_back({std::to_string(bus) + "-" + std::to_string(port),
                      "bus=xhci.0,port=" + std::to_string(port) + more, driver, std::move(device)});
  };
  add(2, 1, ",serial=ONE", "usb-storage", make_stick("one"));
  add(2, 2, ",serial=OTHER", "usb-storage", make_stick("other"));
  add(1, 3, "", "usbhid", make_keyboard(2));
  add(1, 4, "", "usbhid", make_mouse(2));
  add(1, 5, "", "ftdi_sio", make_serial_adapter());
  add(1, 6, "", "snd-usb-audio", make_sound_device());
  return pieces;
}

std::vector<std::string> backends(std::vector<Piece>& pieces, const CaseDir& dir) {
  std::vector<std::string> arguments;
  for (Piece& piece : pieces) {
    for (const std::string& argument : piece.device->backend(dir.path())) arguments.push_back(argument);
  }
  return arguments;
}

/// A guest that is still asking what a device is notices its loss when the questions time out, after 5 s each in Linux.
constexpr milliseconds kGuestNotices = 60s;

class PersonsDesk {
 public:
  PersonsDesk() {
    for (Piece& piece : pieces_) plug(piece);
    wait_drivers({}, 60s);
    for (Piece& piece : pieces_) {
      const std::string said = machine_.console().must_run(
          "cd /sys/bus/usb/devices/" + piece.port + "; echo $(cat idVendor):$(cat idProduct) $(cat serial); cd /");
      piece.id = said.substr(0, 9);
      piece.serial = said.substr(10);
    }
  }

  ClientMachine& machine() { return machine_; }
  Loop& loop() { return loop_; }

  /// One command for all; the guest has these devices and no others.
  void redirect(const Choices& choices) {
    chosen_ = choices;
    // A busy machine is far away by its round trip: the sticks stay what they are all the same.
    std::string arguments = "--force --transport bulk-only ";
    for (const Choice& choice : choices) arguments += selector(choice) + " ";
    machine_.start_client(arguments + "demo", choices.size());
    check_there();
  }

  void check_there() {
    wait_until("the guest to have the chosen devices and no others", 30s, [&] {
      return guest_.run("ls /sys/bus/usb/devices | grep -cE '^[0-9]+-[0-9]+$'").output ==
             std::to_string(chosen_.size());
    });
    for (const Choice& choice : chosen_) guest_port(pieces_[choice.piece]);
    wait_drivers(chosen_, 5s);
  }

  /// Data that no other round has, each way that the device has.
  void exchange() {
    ++round_;
    for (const Choice& choice : chosen_) {
      Piece& piece = pieces_[choice.piece];
      CAPTURE(piece.port);
      CHECK_NOTHROW(piece.device->exchange(machine_, {guest_, guest_port(piece)}, round_));
    }
  }

  /// The guest has none of them, and each is with its driver in the person's machine.
  void check_back() {
    wait_until("the guest to have no device", kGuestNotices,
               [&] { return guest_.run("ls /sys/bus/usb/devices | grep -qE '^[0-9]+-[0-9]+$'").status != 0; });
    wait_drivers({}, 10s);
  }

  /// Pulled out while nobody uses them, and plugged in again: redirected again without a word from the person.
  void replug() {
    for (const Choice& choice : chosen_) {
      const Piece& piece = pieces_[choice.piece];
      const std::string gone = "usbloop-guest: usb remove .* path=" + guest_port(piece);
      const std::size_t mark = guest_.mark();
      machine_.unplug(piece.name());
      CHECK_NOTHROW(guest_.wait_for_line(gone, kGuestNotices, mark));
    }
    for (const Choice& choice : chosen_) plug(pieces_[choice.piece]);
    wait_again();
  }

  void lose_server() {
    loop_.apiserver().kill_hard();
    check_back();
    loop_.start_apiserver();
    wait_again();
  }

 private:
  void plug(Piece& piece) { piece.device->plug(machine_, piece.place, piece.name()); }

  [[nodiscard]] std::string selector(const Choice& choice) {
    const Piece& piece = pieces_[choice.piece];
    switch (choice.by) {
      case By::place: return machine_.bus_device(piece.port);
      case By::port: return "port=" + piece.port;
      case By::serial: return "serial=" + piece.serial;
      case By::id: return piece.id;
    }
    return {};
  }

  /// Where the guest has the device with this one's serial number.
  std::string guest_port(const Piece& piece) {
    std::string found;
    wait_until("the guest to have " + piece.serial, 10s, [&] {
      found = guest_.run("grep -lxF '" + piece.serial + "' /sys/bus/usb/devices/*/serial | cut -d / -f 6").output;
      return !found.empty();
    });
    return found;
  }

  /// In the person's machine the taken ones are with the client, all others with their drivers.
  void wait_drivers(const Choices& taken, milliseconds timeout) {
    std::string ports;
    std::string expected;
    for (std::size_t index = 0; index < pieces_.size(); ++index) {
      const bool is_taken =
          std::any_of(taken.begin(), taken.end(), [&](const Choice& choice) { return choice.piece == index; });
      ports += pieces_[index].port + " ";
      expected += (index > 0 ? "\n" : "") + (is_taken ? "usbfs" : pieces_[index].driver);
    }
    wait_until("the person's machine to have these drivers: " + expected, timeout, [&] {
      const std::string look = "do basename \"$(readlink /sys/bus/usb/devices/$port:1.0/driver)\"; done";
      return machine_.console().run("for port in " + ports + "; " + look).output == expected;
    });
  }

  void wait_again() {
    wait_until("the client to redirect all again", 40s, [&] {
      return machine_.console().run("grep -c 'VMI default/demo again' /tmp/client.log").output ==
             std::to_string(chosen_.size());
    });
    check_there();
  }

  CaseDir dir_;
  Loop loop_{dir_, {.sans = {"10.0.2.2"}}};
  Vmi vmi_{loop_, "demo"};
  std::vector<Piece> pieces_ = all_pieces();
  ClientMachine machine_{dir_, backends(pieces_, dir_), loop_.kubeconfig()};
  GuestConsole& guest_ = vmi_.boot();
  Choices chosen_;
  int round_ = 0;
};

}  // namespace

TEST_CASE("each device of a desk is named by each selector, never its twin, and is back whatever ends it") {
  PersonsDesk desk;
  ClientMachine& machine = desk.machine();

  const GuestResult twins = machine.run_client("46f4:0001 demo </dev/null");
  CHECK(twins.status == 1);
  for (const char* words : {"cannot choose between devices 46f4:0001: 2 of them", "serial=ONE", "serial=OTHER"}) {
    CHECK_MESSAGE(contains(twins.output, words), twins.output);
  }

  desk.redirect({{kKeyboard, By::place}, {kMouse, By::port}, {kSerial, By::serial}, {kSound, By::id}});
  desk.exchange();
  CHECK(machine.stop_client() == 0);
  desk.check_back();

  desk.redirect({{kKeyboard, By::port}, {kMouse, By::serial}, {kSerial, By::id}, {kSound, By::place}});
  desk.replug();
  if (kAlwaysData) desk.exchange();
  CHECK(machine.stop_client("TERM") == 0);
  desk.check_back();

  desk.redirect({{kKeyboard, By::serial}, {kMouse, By::place}, {kSerial, By::port}, {kSound, By::serial}});
  desk.lose_server();
  desk.exchange();
  machine.kill_client();
  desk.check_back();

  desk.redirect({{kOne, By::place}, {kOther, By::port}, {kSerial, By::place}, {kSound, By::port}});
  desk.replug();
  desk.exchange();
  CHECK(machine.stop_client() == 0);
  desk.check_back();

  desk.redirect({{kOne, By::serial}, {kOther, By::place}});
  desk.lose_server();
  if (kAlwaysData) desk.exchange();
  CHECK(machine.stop_client("TERM") == 0);
  desk.check_back();

  desk.redirect({{kOther, By::serial}, {kOne, By::port}});
  desk.exchange();
  machine.kill_client();
  desk.check_back();
}
