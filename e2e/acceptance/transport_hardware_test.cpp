// A stick in the person's machine (QEMU's usb-storage), taken by libusb, that the guest sees as a UAS disk.
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

namespace {
constexpr std::size_t kMiB = 1 << 20;
}

TEST_CASE("a real stick is read and written as a UAS disk, survives a driver that goes, and is given back") {
  const CaseDir dir;
  Loop loop(dir, {.sans = {"10.0.2.2"}});
  Vmi vmi(loop, "demo");
  const fs::path image = dir.path() / "stick.img";
  std::string content = random_bytes(16 * kMiB, 1);
  write_file(image, content);
  ClientMachine machine(dir,
                        {"-drive", "if=none,id=drive,format=raw,file=" + image.string(), "-device",
                         "usb-storage,bus=xhci.0,id=stick,port=1,drive=drive"},
                        loop.kubeconfig());
  GuestConsole& guest = vmi.boot();
  CHECK(wait_disk(machine.console(), "2-1") == "sda");
  CHECK(contains(machine.start_client("--transport uas 46f4:0001 demo"), "as a UAS disk"));
  std::string disk = wait_disk(guest, "2-1");
  CHECK(guest.must_run("basename $(readlink /sys/bus/usb/devices/2-1:1.0/driver)") == "uas");
  CHECK(guest_sha256(guest, disk, 16 * kMiB) == sha256_of(content));
  guest.must_run("for i in 0 1 2 3; do dd if=/dev/" + disk +
                 " of=/dev/null bs=1M iflag=direct 2>/dev/null & done; dd if=/dev/" + disk + " of=/dev/" + disk +
                 " bs=1M count=4 seek=12 conv=notrunc,fsync 2>/dev/null; wait");
  content.replace(12 * kMiB, 4 * kMiB, content.substr(0, 4 * kMiB));
  // What is under way is given up in the middle: the stick itself has to be recovered.
  guest.must_run("for i in 0 1 2 3; do (while dd if=/dev/" + disk +
                 " of=/dev/null bs=1M iflag=direct 2>/dev/null; do :; done) & done; sleep 0.5; "
                 "echo 2-1:1.0 > /sys/bus/usb/drivers/uas/unbind; wait; echo 2-1:1.0 > /sys/bus/usb/drivers/uas/bind");
  disk = wait_disk(guest, "2-1");
  CHECK(guest_sha256(guest, disk, 16 * kMiB) == sha256_of(content));
  CHECK(machine.stop_client() == 0);
  CHECK(wait_disk(machine.console(), "2-1") == "sda");
  CHECK(guest_sha256(machine.console(), "sda", 16 * kMiB) == sha256_of(content));
}
