// Debian's usbredirect at real hardware, through --launch and --no-launch: the person's machine is a second virtual
// one, with the host's programs and a stick.
#include <doctest/doctest.h>

#include "common/test_text.h"
#include "e2e/acceptance/client_machine.h"
#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

}  // namespace

TEST_CASE("a guest reads a stick of hardware that usbredirect redirects, started by the client and by hand") {
  if (!on_path("usbredirect")) {
    skip_case("usbredirect is not installed (package usbredirect)");
    return;
  }
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  const fs::path image = dir.path() / "stick.img";
  const std::string sha = make_random_image(image, 8 * kMiB, 3);
  ClientMachine machine(dir,
                        {"-drive", "if=none,id=drive,format=raw,file=" + image.string(), "-device",
                         "usb-storage,bus=xhci.0,id=stick,port=1,drive=drive"},
                        loop.kubeconfig());
  GuestConsole& guest = vmi.boot();
  GuestConsole& desk = machine.console();
  const auto check_guest = [&] { CHECK(guest_sha256(guest, wait_disk(guest, "2-1"), 8 * kMiB) == sha); };
  CHECK(wait_disk(desk, "2-1") == "sda");

  std::size_t there = guest.mark();
  CHECK(contains(machine.start_client("--launch 46f4:0001 demo"), "46f4:0001 to VMI default/demo by usbredirect"));
  check_guest();
  CHECK(machine.stop_client() == 0);
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 5s, there));
  CHECK(desk.run("ps | grep -c -- 'usbredirec[t] --device'").output == "0");
  CHECK(wait_disk(desk, "2-1") == "sda");  // usbredirect has given it back

  there = guest.mark();
  desk.must_run(
      "rm -f /tmp/client.log; (until grep -qs 'at: ' /tmp/client.log; do sleep 0.1; done; exec host "
      "/usr/bin/usbredirect "
      "--device 46f4:0001 --to $(sed -n 's/.* at: //p' /tmp/client.log)) >/tmp/program.log 2>&1 & echo $! > "
      "/tmp/program.pid");
  CHECK(contains(machine.start_client("--no-launch demo"), "its device to VMI default/demo"));
  check_guest();
  CHECK(machine.stop_client() == 0);
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 5s, there));
  CHECK(wait_disk(desk, "2-1") == "sda");  // usbredirect has ended with its connection
}
