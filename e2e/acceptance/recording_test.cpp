// Hardware that is recorded in a session and then replayed without it: the person's machine is a second virtual one.
#include <doctest/doctest.h>

#include "common/test_text.h"
#include "e2e/acceptance/client_machine.h"
#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

TEST_CASE("a stick of hardware is recorded through libusb, and the guest reads the same of its replay") {
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  const fs::path image = dir.path() / "stick.img";
  make_random_image(image, 1 << 20, 8);
  ClientMachine machine(dir,
                        {"-drive", "if=none,id=drive,format=raw,file=" + image.string(), "-device",
                         "usb-storage,bus=xhci.0,id=stick,port=1,drive=drive"},
                        loop.kubeconfig());
  GuestConsole& guest = vmi.boot();
  CHECK(wait_disk(machine.console(), "2-1") == "sda");
  const std::string expected = sha256_of(read_file(image).substr(0, 65536));
  for (const char* device : {"--record /tmp/stick.pcapng 46f4:0001", "--emulate replay,file=/tmp/stick.pcapng"}) {
    CAPTURE(device);
    const std::size_t mark = guest.mark();
    CHECK(contains(machine.start_client(std::string(device) + " demo"), "46f4:0001"));
    const std::string disk = wait_disk(guest, "2-1", 60s);
    CHECK(guest.must_run("dd if=/dev/" + disk + " bs=4k count=16 iflag=direct 2>/dev/null | sha256sum").substr(0, 64) ==
          expected);
    CHECK(machine.stop_client() == 0);
    CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 46f4:0001", 10s, mark));
  }
}
