// A device that is a program in Python, deploy/examples/model.py, at a QEMU without a loop.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;

TEST_CASE("a guest's driver takes the device of a program in Python, and its lines come back in capitals") {
  if (!on_path("python3")) return skip_case("no python3 on PATH");
  const CaseDir dir;
  const std::string socket = (dir.path() / "model.sock").string();
  Process model({.name = "model", .argv = {"python3", USBLOOP_MODEL_EXAMPLE, socket}, .log_dir = dir.path()});
  model.wait_out("model: listening", std::chrono::seconds(20));
  PlainGuest plain(dir, {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                                       "usb-redir,chardev=slot0,bus=xhci.0,port=1"}});
  GuestConsole& guest = plain.boot();
  Process device({.name = "device",
                  .argv = {device_sim(), "--emulate", "model,socket=" + socket, "--to",
                           "unix:" + (plain.dir() / "slot0.sock").string()},
                  .log_dir = dir.path()});
  guest.wait_for_line("usbloop-guest: usb add 1209:0001 speed=12 .*path=1-1", 20s);
  guest.must_run("for i in $(seq 200); do [ -c /dev/ttyACM0 ] && break; usleep 50000; done; [ -c /dev/ttyACM0 ]");
  guest.must_run("exec 4<>/dev/ttyACM0; stty raw -echo 115200 <&4");
  CHECK(guest.must_run("echo 'hello, model' >&4; head -n 1 <&4") == "HELLO, MODEL");
  // More than a packet, and than fits into one read.
  guest.must_run(
      "head -c 40000 /dev/zero | tr '\\0' 'x' > /tmp/sent; head -c 40000 <&4 > /tmp/got & "
      "cat /tmp/sent >&4; wait; tr 'x' 'X' < /tmp/sent | cmp - /tmp/got",
      60s);
  SUBCASE("the redirection ends") {
    device.signal(SIGTERM);
    CHECK(device.wait_exit(5s).code == 0);
  }
  SUBCASE("the program ends") {
    model.signal(SIGKILL);
    CHECK(device.wait_exit(5s).code == 1);
    CHECK_NOTHROW(device.wait_err("it has ended", 5s));
  }
  guest.wait_for_line("usbloop-guest: usb remove 1209:0001 path=1-1", 5s);
}
