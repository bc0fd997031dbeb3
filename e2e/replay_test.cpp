// Devices that are recorded in a guest and then replayed to it: a stick, a keyboard and a camera.
#include <doctest/doctest.h>

#include <csignal>

#include "common/test_text.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"
#include "usbredir/capture/tshark.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

class ReplayBench {
 public:
  ReplayBench() { guest.must_run("mkdir /tools && mount -t 9p -o trans=virtio,version=9p2000.L,ro tools /tools"); }

  /// Plugs a device in, and waits until the guest has it.
  Process plug(const std::string& spec, const std::vector<std::string>& more, const std::string& ready) {
    guest.must_run("dmesg -c > /dev/null");
    std::vector<std::string> argv = {device_sim(), "--emulate", spec, "--to",
                                     "unix:" + (plain.dir() / "slot.sock").string()};
    argv.insert(argv.end(), more.begin(), more.end());
    Process device({.name = "device-" + std::to_string(++number_), .argv = argv, .log_dir = dir.path()});
    wait_until("the guest's driver", 60s, [&] {
      if (!device.running()) FAIL("device-sim has ended: " << device.output());
      return guest.run("dmesg | grep -q '" + ready + "'").status == 0;
    });
    return device;
  }

  void unplug(Process& device) {
    device.signal(SIGTERM);
    const auto status = device.wait_exit(10s);
    CHECK_MESSAGE(status.success(), device.output());
    gone();
  }

  void gone() {
    guest.must_run("for i in $(seq 400); do [ -e /sys/bus/usb/devices/1-1 ] || break; usleep 50000; done");
  }

  /// What a use of the device gives when it is recorded, and when it is replayed, is the same.
  template <typename Use>
  fs::path record_and_replay(const std::string& name, const std::string& spec, const std::string& ready,
                             const Use& use) {
    const fs::path file = dir.path() / (name + ".pcapng");
    Process device = plug(spec, {"--record", file.string()}, ready);
    const std::string recorded = use();
    unplug(device);
    CAPTURE(name);
    Process again = plug("replay,file=" + file.string(), {}, ready);
    CHECK(use() == recorded);
    unplug(again);
    return file;
  }

  const CaseDir dir;
  PlainGuest plain{dir,
                   {.arguments = {"-chardev", "socket,id=slot,path=slot.sock,server=on,wait=off", "-device",
                                  "usb-redir,chardev=slot,bus=xhci.0,port=1", "-virtfs",
                                  "local,path=" + fs::path(USBLOOP_CAPTURE).parent_path().string() +
                                      ",mount_tag=tools,security_model=none,readonly=on"}}};
  GuestConsole& guest = plain.boot();

 private:
  int number_ = 0;
};

void check_with_tshark(const fs::path& file) {
  if (!on_path("tshark")) return;
  CHECK(usbloop::capture::test::count_records(file, "usb") > 10);
  CHECK(usbloop::capture::test::count_records(file, "_ws.malformed") == 0);
}

}  // namespace

TEST_CASE("a recorded stick, keyboard and camera are there again, and a replay that goes astray says where") {
  ReplayBench bench;
  GuestConsole& guest = bench.guest;
  const fs::path image = bench.dir.path() / "stick.img";
  make_random_image(image, 1 << 20, 6);
  const std::string attached = "Attached SCSI";
  const fs::path stick = bench.record_and_replay("stick", "stick,image=" + image.string(), attached, [&] {
    // When nobody has it open any more, Linux unlocks the medium and asks for it, in an order that is chance.
    return guest.must_run("dd if=/dev/sda bs=4k count=16 iflag=direct 2> /dev/null | sha256sum");
  });
  check_with_tshark(stick);
  {
    Process astray = bench.plug("replay,file=" + stick.string(), {}, attached);
    CHECK(guest.run("dd if=/dev/sda of=/dev/null bs=4k skip=32 count=1 iflag=direct 2> /dev/null").status != 0);
    CHECK(astray.wait_exit(10s).code == 1);
    CHECK_MESSAGE(contains(astray.output(), "cannot go on with the replay of " + stick.string() + " at record "),
                  astray.output());
    CHECK_MESSAGE(contains(astray.output(),
                           "the guest gives the command 28 00 00 00 01 00 00 00 08 00 with 4096 bytes, which it did"),
                  astray.output());
    bench.gone();
  }

  check_with_tshark(bench.record_and_replay("keyboard", "keyboard,text=hello again\\n", "input,hidraw",
                                            [&] { return guest.must_run("head -n 1 < /dev/tty1", 60s); }));
  check_with_tshark(bench.record_and_replay("camera", "camera", "Found UVC", [&] {
    guest.must_run("for i in $(seq 400); do [ -c /dev/video0 ] && break; usleep 50000; done");
    const std::string report = guest.must_run("/tools/capture /dev/video0 320 240 30 12", 120s);
    return report.substr(0, report.find(" milliseconds"));
  }));
}
