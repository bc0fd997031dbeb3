// The emulated keyboard and mouse at a QEMU without a loop, and through the loop by the client.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;

namespace {

PlainGuestOptions with_slot() {
  return {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                        "usb-redir,chardev=slot0,bus=xhci.0,port=1"}};
}

Process keyboard(const CaseDir& dir, const PlainGuest& guest, const std::string& settings) {
  return Process({.name = "keyboard",
                  .argv = {device_sim(), "--emulate", "keyboard," + settings, "--to",
                           "unix:" + (guest.dir() / "slot0.sock").string(), "-v", "3"},
                  .log_dir = dir.path()});
}

/// Reads the guest's first virtual console into /tmp/typed, line by line, until a line says `end`.
void read_console(GuestConsole& guest) {
  guest.must_run(
      "rm -f /tmp/typed; (while IFS= read -r line && echo \"$line\" >> /tmp/typed && [ \"$line\" != end ]; do :; done; "
      "echo over >> /tmp/typed) < /dev/tty1 > /dev/null 2>&1 & true");
}

std::string typed(GuestConsole& guest) {
  return guest.must_run(
      "for i in $(seq 600); do grep -qx over /tmp/typed 2>/dev/null && break; usleep 50000; done; cat /tmp/typed", 60s);
}

/// What the options' text says, with a comma once and no escapes.
constexpr const char* kLine1 = "The quick brown fox, 0123456789 & JUMPS over ~!@#$%^*()_+{}|:\"<>?";
constexpr const char* kLine2 = "`-=[];'./ the lazy dog";

}  // namespace

TEST_CASE("a guest's console has what the keyboard typed, and the lights are the guest's, at low and full speed") {
  const CaseDir dir;
  PlainGuest plain(dir, with_slot());
  GuestConsole& guest = plain.boot();
  for (const auto& [speed, shown] : {std::pair("low", "1.5"), {"full", "12"}}) {
    read_console(guest);
    const auto mark = guest.mark();
    Process keys = keyboard(
        dir, plain,
        std::string("text=\\{capslock}caps lock is on\\n\\{capslock}The quick brown fox,, 0123456789 & JUMPS over "
                    "~!@#$%^*()_+{}|:\"<>?\\n`-=[];'./ the lazx\\by dog\\nend\\n,speed=") +
            speed);
    guest.wait_for_line(std::string("usbloop-guest: usb add 046d:c31c speed=") + shown + " .*path=1-1", 15s, mark);
    CHECK(typed(guest) == std::string("CAPS LOCK IS ON\n") + kLine1 + "\n" + kLine2 + "\nend\nover");
    CHECK_NOTHROW(keys.wait_err("all is typed", 5s));
    CHECK_NOTHROW(keys.wait_err("lights: caps lock\n[^\n]*lights: none", 5s));
    keys.signal(SIGTERM);
    CHECK(keys.wait_exit(5s).code == 0);
    guest.wait_for_line("usbloop-guest: usb remove 046d:c31c path=1-1", 5s, mark);
  }
}

TEST_CASE("through the loop a text comes whole that is longer than QEMU's queue of reports") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo");
  GuestConsole& guest = vmi.boot();
  std::string text;
  std::string expected;
  for (int line = 0; line < 20; ++line) {
    const std::string content = "line " + std::to_string(line) + " of a text that takes its time";
    text += content + "\\n";
    expected += content + "\n";
  }
  read_console(guest);
  Process client = start_client(
      dir, "client", {"--kubeconfig", loop.kubeconfig(), "--emulate", "keyboard,text=" + text + "end\\n", "demo"});
  CHECK(typed(guest) == expected + "end\nover");
  client.signal(SIGINT);
  CHECK(client.wait_exit(5s).code == 0);
}

TEST_CASE("a guest's input events are what the mouse did") {
  const CaseDir dir;
  PlainGuest plain(dir, with_slot());
  GuestConsole& guest = plain.boot();
  Process mouse({.name = "mouse",
                 .argv = {device_sim(), "--emulate", "mouse,delay=3000,do=move:300:-20 click:right wheel:2", "--to",
                          "unix:" + (plain.dir() / "slot0.sock").string(), "-v", "3"},
                 .log_dir = dir.path()});
  guest.wait_for_line("usbloop-guest: usb add 046d:c077 speed=1.5 .*path=1-1", 15s);
  guest.must_run(
      "for i in $(seq 200); do set -- /sys/bus/usb/devices/1-1:1.0/*/input/input*/event*; [ -e $1 ] && break; "
      "usleep 20000; done; exec 5</dev/input/$(basename $1); cat <&5 > /tmp/events & true");
  mouse.wait_err("all is done", 15s);
  // struct input_event: 16 bytes of time, type and code of 2 each, value of 4. A click of the right button is the last
  // but the wheel.
  const std::string wheel = " 02 00 08 00 02 00 00 00";
  const std::string events = guest.must_run(
      "for i in $(seq 200); do od -An -v -t x1 -w24 /tmp/events | cut -c49- > /tmp/shown; grep -q '" + wheel +
      "' /tmp/shown && break; usleep 20000; done; grep -v ' 00 00 00 00 00 00 00 00' /tmp/shown; exec 5<&-");
  const auto has = [&](const std::string& event) { return events.find(event) != std::string::npos; };
  CHECK_MESSAGE(has(" 02 00 00 00 64 00 00 00"), events);  // 100 of 300 to the right
  CHECK_MESSAGE(has(" 02 00 01 00 f9 ff ff ff"), events);  // 7 of 20 up
  CHECK_MESSAGE(has(" 01 00 11 01 01 00 00 00"), events);
  CHECK_MESSAGE(has(" 01 00 11 01 00 00 00 00"), events);
  CHECK_MESSAGE(has(wheel), events);
  mouse.signal(SIGTERM);
  CHECK(mouse.wait_exit(5s).code == 0);
}

TEST_CASE("a guest's input events are the media keys that a composite keyboard pressed") {
  const CaseDir dir;
  PlainGuest plain(dir, with_slot());
  GuestConsole& guest = plain.boot();
  Process keys = keyboard(dir, plain, "media,delay=3000,text=\\{volume-up}\\{play}\\{mute}");
  guest.wait_for_line("usbloop-guest: usb add 046d:c31c speed=1.5 .*path=1-1", 15s);
  guest.must_run(
      "for i in $(seq 200); do set -- /sys/bus/usb/devices/1-1:1.1/*/input/input*/event*; [ -e $1 ] && break; "
      "usleep 20000; done; exec 5</dev/input/$(basename $1); cat <&5 > /tmp/events & true");
  keys.wait_err("all is typed", 15s);
  CHECK(guest.must_run("basename $(readlink /sys/bus/usb/devices/1-1:1.1/driver)") == "usbhid");
  // struct input_event: 16 bytes of time, type and code of 2 each, value of 4. KEY_MUTE's end is the last.
  const std::string last = " 01 00 71 00 00 00 00 00";
  const std::string events =
      guest.must_run("for i in $(seq 200); do od -An -v -t x1 -w24 /tmp/events | cut -c49- > /tmp/shown; grep -q '" +
                     last + "' /tmp/shown && break; usleep 20000; done; grep '^ 01 00' /tmp/shown; exec 5<&-");
  std::string expected;
  for (const char* code : {"73", "a4", "71"}) {  // KEY_VOLUMEUP, KEY_PLAYPAUSE, KEY_MUTE: down and up
    for (const char* value : {"01", "00"}) {
      expected += (expected.empty() ? " 01 00 " : "\n 01 00 ") + std::string(code) + " 00 " + value + " 00 00 00";
    }
  }
  CHECK((events == expected || " " + events == expected));
  MESSAGE(events);
  keys.signal(SIGTERM);
  CHECK(keys.wait_exit(5s).code == 0);
}
