// The emulated camera at a QEMU without a loop: the guest's driver is uvcvideo, and a program in the guest looks at
// every picture.
#include <doctest/doctest.h>

#include <csignal>
#include <regex>

#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

/// A guest with a slot, and with /tools, where the program is.
struct Rig {
  Rig() : guest(plain.boot()) {
    guest.must_run("mkdir /tools && mount -t 9p -o trans=virtio,version=9p2000.L,ro tools /tools");
  }

  static PlainGuestOptions options() {
    const std::string tools = fs::path(USBLOOP_CAPTURE).parent_path();
    return {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                          "usb-redir,chardev=slot0,bus=xhci.0,port=1", "-virtfs",
                          "local,path=" + tools + ",mount_tag=tools,security_model=none,readonly=on"}};
  }

  Process plug(const std::string& spec) {
    const std::size_t from = guest.mark();
    Process process({.name = "camera",
                     .argv = {device_sim(), "--emulate", spec, "--to", "unix:" + (plain.dir() / "slot0.sock").string()},
                     .log_dir = dir.path()});
    guest.wait_for_line("usbloop-guest: usb add 13d3:5406 speed=480 product=\"Integrated Camera\" path=1-1", 15s, from);
    wait_until("the camera's node", 20s, [&] { return guest.run("test -c /dev/video0").status == 0; });
    CHECK(guest.must_run("basename $(readlink /sys/bus/usb/devices/1-1:1.1/driver)") == "uvcvideo");
    return process;
  }

  /// Captures `count` pictures, of which each has to be right, and no more than `most_lost` may be missing between
  /// them. Gives how many came in a second.
  double capture(const std::string& size, int rate, int count, int most_lost = 0) {
    const std::string text = guest.must_run(
        "/tools/capture /dev/video0 " + size + " " + std::to_string(rate) + " " + std::to_string(count), 120s);
    std::smatch match;
    const std::regex report("pictures=(\\d+) damaged=(\\d+) lost=(\\d+) milliseconds=(\\d+)");
    REQUIRE_MESSAGE(std::regex_search(text, match, report), text);
    MESSAGE(size << " at " << rate << ": " << match.str());
    CHECK(match[1] == std::to_string(count));
    CHECK(match[2] == "0");
    CHECK(std::stoi(match[3]) <= most_lost);
    return 1000.0 * (count - 1) / std::stod(match[4]);
  }

  void end(Process& camera) {
    camera.signal(SIGTERM);
    CHECK(camera.wait_exit(5s).code == 0);
    CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 13d3:5406 path=1-1", 5s));
  }

  CaseDir dir;
  PlainGuest plain{dir, options()};
  GuestConsole& guest;
};

}  // namespace

TEST_CASE(
    "every picture that a guest captures by bulk is right, in each size, and streaming starts and stops at will") {
  Rig rig;
  Process camera = rig.plug("camera");
  CHECK(rig.capture("320 240", 30, 60) > 15);
  CHECK(rig.capture("640 480", 30, 90) > 10);
  const double slow = rig.capture("320 240", 5, 10);
  CHECK(slow > 4);
  CHECK(slow < 5.5);
  for (int i = 0; i < 20; ++i) rig.capture("320 240", 15, 3);
  CHECK(rig.guest.run("dmesg | grep -E 'uvcvideo.*(ailed|rror|-[0-9]+)'").output.empty());
  rig.end(camera);
}

TEST_CASE("every picture that a guest captures by an isochronous stream is right") {
  Rig rig;
  Process camera = rig.plug("camera,transfers=isochronous");
  // A guest that stands still for a tenth of a second, as it may on a machine with much to do, loses what comes then.
  CHECK(rig.capture("320 240", 15, 45, 4) > 5);
  CHECK(rig.capture("320 240", 30, 60, 6) > 10);
  CHECK(rig.capture("640 480", 5, 15, 2) > 2);
  rig.capture("640 480", 30, 30, 30);
  for (int i = 0; i < 20; ++i) rig.capture("320 240", 30, 3, 1);
  CHECK(rig.guest.run("dmesg | grep -E 'uvcvideo.*(ailed|rror|-[0-9]+)'").output.empty());
  rig.end(camera);
}
