// The emulated serial port at a QEMU without a loop: the guest's driver is cdc_acm, and what it sends comes back.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;

TEST_CASE("a guest's ttyACM0 gives back what is sent to it, and the port is set as the guest says") {
  const CaseDir dir;
  PlainGuest plain(dir, {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                                       "usb-redir,chardev=slot0,bus=xhci.0,port=1"}});
  GuestConsole& guest = plain.boot();
  struct Case {
    const char* speed;
    const char* shown;
    int kib;
  };
  for (const Case& one : {Case{"full", "12", 64}, {"high", "480", 1024}}) {
    const auto mark = guest.mark();
    Process port({.name = "serial",
                  .argv = {device_sim(), "--emulate", std::string("serial,speed=") + one.speed, "--to",
                           "unix:" + (plain.dir() / "slot0.sock").string(), "-v", "3"},
                  .log_dir = dir.path()});
    guest.wait_for_line(std::string("usbloop-guest: usb add 2341:0043 speed=") + one.shown + " .*path=1-1", 15s, mark);
    guest.must_run("for i in $(seq 200); do [ -c /dev/ttyACM0 ] && break; usleep 50000; done; [ -c /dev/ttyACM0 ]");
    guest.must_run("exec 4<>/dev/ttyACM0; stty raw -echo 115200 cs7 parenb <&4");
    CHECK_NOTHROW(port.wait_err("115200 bit/s, 7 data bits, even parity", 5s));
    guest.must_run("stty raw -echo 9600 cs8 -parenb <&4");
    const std::string size = std::to_string(one.kib * 1024);
    guest.must_run("head -c " + size + " /dev/urandom > /tmp/sent; head -c " + size +
                       " <&4 > /tmp/echoed & cat /tmp/sent >&4; wait; cmp /tmp/sent /tmp/echoed",
                   60s);
    CHECK(guest.must_run("wc -c < /tmp/echoed") == size);
    guest.must_run("exec 4>&-");
    CHECK(guest.run("dmesg | grep -E 'cdc_acm.*(fail|error|urb)'").output.empty());
    port.signal(SIGTERM);
    CHECK(port.wait_exit(5s).code == 0);
    guest.wait_for_line("usbloop-guest: usb remove 2341:0043 path=1-1", 5s, mark);
  }
}
