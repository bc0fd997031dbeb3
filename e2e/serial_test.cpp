// The emulated serial ports at a QEMU without a loop: the guest's drivers are cdc_acm and ftdi_sio, and what it sends
// comes back.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;

TEST_CASE("a guest's ttyACM0 and ttyUSB0 give back what is sent to them, and are set as the guest says") {
  const CaseDir dir;
  PlainGuest plain(dir, {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                                       "usb-redir,chardev=slot0,bus=xhci.0,port=1"}});
  GuestConsole& guest = plain.boot();
  struct Case {
    const char* spec;
    const char* plugged;
    const char* path;
    const char* device;
    const char* setting;
    const char* said;
    int kib;
  };
  constexpr auto kAcmSaid = "115200 bit/s, 7 data bits, even parity";
  for (const Case& one :
       {Case{"serial,speed=full", "2341:0043 speed=12", "2341:0043", "ttyACM0", "115200 cs7 parenb", kAcmSaid, 64},
        Case{"serial,speed=high", "2341:0043 speed=480", "2341:0043", "ttyACM0", "115200 cs7 parenb", kAcmSaid, 1024},
        Case{"ftdi", "0403:6001 speed=12", "0403:6001", "ttyUSB0", "115200", "115384 bit/s", 1024}}) {
    CAPTURE(one.spec);
    const auto mark = guest.mark();
    Process port({.name = "serial",
                  .argv = {device_sim(), "--emulate", one.spec, "--to", "unix:" + (plain.dir() / "slot0.sock").string(),
                           "-v", "3"},
                  .log_dir = dir.path()});
    guest.wait_for_line(std::string("usbloop-guest: usb add ") + one.plugged + " .*path=1-1", 15s, mark);
    const std::string device = std::string("/dev/") + one.device;
    guest.must_run("for i in $(seq 200); do [ -c " + device + " ] && break; usleep 50000; done; [ -c " + device + " ]");
    guest.must_run("exec 4<>" + device + "; stty raw -echo " + one.setting + " <&4");
    CHECK_NOTHROW(port.wait_err(one.said, 5s));
    guest.must_run("stty raw -echo 9600 cs8 -parenb <&4");
    const std::string size = std::to_string(one.kib * 1024);
    guest.must_run("head -c " + size + " /dev/urandom > /tmp/sent; head -c " + size +
                       " <&4 > /tmp/echoed & cat /tmp/sent >&4; wait; cmp /tmp/sent /tmp/echoed",
                   60s);
    CHECK(guest.must_run("wc -c < /tmp/echoed") == size);
    guest.must_run("exec 4>&-");
    CHECK(guest.run("dmesg | grep -E '(cdc_acm|ftdi_sio).*(fail|error|urb)'").output.empty());
    port.signal(SIGTERM);
    CHECK(port.wait_exit(5s).code == 0);
    guest.wait_for_line(std::string("usbloop-guest: usb remove ") + one.path + " path=1-1", 5s, mark);
  }

  // A line to a command, which hangs up at last.
  const auto mark = guest.mark();
  Process port({.name = "command",
                .argv = {device_sim(), "--emulate", "serial,command=read who; echo \"hello $who\"; read bye", "--to",
                         "unix:" + (plain.dir() / "slot0.sock").string()},
                .log_dir = dir.path()});
  guest.wait_for_line("usbloop-guest: usb add 2341:0043 .*path=1-1", 15s, mark);
  guest.must_run("for i in $(seq 200); do [ -c /dev/ttyACM0 ] && break; usleep 50000; done; [ -c /dev/ttyACM0 ]");
  guest.must_run("stty -F /dev/ttyACM0 raw -echo -clocal; exec 4<>/dev/ttyACM0");
  CHECK(guest.must_run("echo guest >&4; head -n 1 <&4") == "hello guest");
  guest.must_run("echo bye >&4");
  CHECK(guest.run("head -c 1 <&4 | wc -c", 10s).output == "0");  // the carrier has gone
  port.signal(SIGTERM);
  CHECK(port.wait_exit(5s).code == 0);
}
