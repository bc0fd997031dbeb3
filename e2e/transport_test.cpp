// A Bulk-Only stick that the client shows to a real guest as a UAS disk.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/delay_proxy.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

std::string driver_of(GuestConsole& guest, const std::string& port) {
  return guest.must_run("basename $(readlink /sys/bus/usb/devices/" + port + ":1.0/driver)");
}

}  // namespace

TEST_CASE("a stick shown as a UAS disk has the same bytes, for the driver uas and for usb-storage") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo");
  GuestConsole& guest = vmi.boot();
  const fs::path image = dir.path() / "stick.img";
  const std::string sha = make_random_image(image, 16 * kMiB, 5);
  Process client = start_client(dir, "client",
                                {"--kubeconfig", loop.kubeconfig(), "--transport", "uas", "--emulate",
                                 "stick,image=" + image.string() + ",serial=FAR01", "demo"});
  client.wait_err("Redirecting 0951:1666 [^\n]*as a UAS disk[^\n]* to VMI default/demo", 20s);
  const std::string disk = wait_disk(guest, "2-1");
  CHECK(driver_of(guest, "2-1") == "uas");
  CHECK(guest.must_run("cat /sys/bus/usb/devices/2-1/serial") == "FAR01");
  CHECK(std::stoi(guest.must_run("cat /sys/block/" + disk + "/device/queue_depth")) > 8);
  CHECK(guest_sha256(guest, disk, 16 * kMiB) == sha);
  // Reads, by four at once, and a write with all the rest under way.
  const std::string content = read_file(image);
  guest.must_run("for i in 0 1 2 3; do dd if=/dev/" + disk +
                 " of=/dev/null bs=1M iflag=direct 2>/dev/null & done; dd if=/dev/" + disk + " of=/dev/" + disk +
                 " bs=1M count=4 seek=12 conv=notrunc,fsync 2>/dev/null; wait");
  std::string expected = content;
  expected.replace(12 * kMiB, 4 * kMiB, content.substr(0, 4 * kMiB));
  CHECK(read_file(image) == expected);
  // The driver goes in the middle of reads: what is under way is given up, and the stick is there for the next one.
  guest.must_run("for i in 0 1 2 3; do (while dd if=/dev/" + disk +
                 " of=/dev/null bs=1M iflag=direct 2>/dev/null; do :; done) & done; sleep 0.3; "
                 "echo 2-1:1.0 > /sys/bus/usb/drivers/uas/unbind; wait; "
                 "echo 0951:1666:u > /sys/module/usb_storage/parameters/quirks; "
                 "echo 2-1:1.0 > /sys/bus/usb/drivers/usb-storage/bind");
  CHECK(driver_of(guest, "2-1") == "usb-storage");
  CHECK(guest_sha256(guest, wait_disk(guest, "2-1"), 16 * kMiB) == sha256_of(expected));
  client.signal(SIGINT);
  CHECK(client.wait_exit(5s).code == 0);
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 0951:1666 path=2-1", 5s));
}

TEST_CASE("by itself a near stick stays what it is, a far one is a UAS disk, and what is no stick cannot be one") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo");
  GuestConsole& guest = vmi.boot();
  const fs::path image = dir.path() / "stick.img";
  make_random_image(image, 4 * kMiB, 6);
  Client client(dir, "near", loop, {.image = image}, "demo");
  CHECK(driver_of(guest, wait_disk(guest, "1-1").empty() ? "" : "1-1") == "usb-storage");
  client.stop();
  // The far end alone is far: the kernel measures the way to the proxy, which is short.
  const DelayProxy proxy(static_cast<std::uint16_t>(loop.api().port()), 10ms);
  Process far =
      start_client(dir, "far",
                   {"--kubeconfig", loop.kubeconfig(), "--server", "https://127.0.0.1:" + std::to_string(proxy.port()),
                    "--emulate", Stick{.image = image}.spec(), "demo"});
  far.wait_err("Redirecting 0951:1666 [^\n]*as a UAS disk", 20s);
  CHECK(driver_of(guest, wait_disk(guest, "2-1").empty() ? "" : "2-1") == "uas");
  far.signal(SIGINT);
  CHECK(far.wait_exit(5s).code == 0);
  const ClientEnd refused = run_client(
      dir, "ssd",
      {"--kubeconfig", loop.kubeconfig(), "--transport", "uas", "--emulate", "ssd,image=" + image.string(), "demo"});
  CHECK(refused.status.code == 1);
  CHECK(refused.err.find("it is not a stick with Bulk-Only Transport alone") != std::string::npos);
}
