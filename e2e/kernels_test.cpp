// A Bulk-Only stick that is far away, shown as a UAS disk to the kernels of Debian 12 and Debian 13.
#include <doctest/doctest.h>

#include <csignal>
#include <set>

#include "e2e/harness/client.h"
#include "e2e/harness/delay_proxy.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

/// Reads, writes and flushes a stick in a guest of these files, 20 ms away; returns the kernel's version.
std::string use_far_stick(const fs::path& files, const std::string& speed) {
  const CaseDir dir;
  Loop loop(dir, {.guest = files, .clones = false});
  Vmi vmi(loop, "demo");
  GuestConsole& guest = vmi.boot();
  const DelayProxy proxy(static_cast<std::uint16_t>(loop.api().port()), 10ms);
  const fs::path image = dir.path() / "stick.img";
  const std::string sha = make_random_image(image, 16 * kMiB, 7);
  Process client =
      start_client(dir, "client",
                   {"--kubeconfig", loop.kubeconfig(), "--server", "https://127.0.0.1:" + std::to_string(proxy.port()),
                    "--emulate", Stick{.image = image, .speed = speed}.spec(), "demo"});
  client.wait_err("Redirecting 0951:1666 [^\n]*as a UAS disk", 20s);
  const std::string disk = wait_disk(guest, "2-1", 30s);
  CHECK(guest.must_run("basename $(readlink /sys/bus/usb/devices/2-1:1.0/driver)") == "uas");
  // Twice the optimal transfer length that the client tells. Linux 6.1 decides on that as the last step of adding a
  // disk, a while after the disk can be used.
  const std::string ahead = "/sys/block/" + disk + "/queue/read_ahead_kb";
  CHECK(holds_within(20s, [&] { return guest.must_run("cat " + ahead) == "2048"; }));
  CHECK(guest_sha256(guest, disk, 16 * kMiB) == sha);
  // From its beginning to its end, as a file is copied: read, written and flushed.
  std::string expected = read_file(image);
  guest.must_run("dd if=/dev/" + disk + " of=/dev/" + disk + " bs=1M count=6 seek=10 conv=notrunc,fsync 2>/dev/null");
  expected.replace(10 * kMiB, 6 * kMiB, expected.substr(0, 6 * kMiB));
  CHECK(read_file(image) == expected);
  guest.must_run("echo 3 >/proc/sys/vm/drop_caches");
  CHECK(guest_sha256(guest, disk, 16 * kMiB) == sha256_of(expected));
  CHECK(
      guest.run("dmesg | grep -E 'uas_eh|cmd cmplt err|stat urb|data cmplt err|unexpected|I/O error'").output.empty());
  const std::string kernel = guest.must_run("uname -r");
  client.signal(SIGINT);
  CHECK(client.wait_exit(5s).code == 0);
  return kernel;
}

}  // namespace

TEST_CASE("the kernels of Debian 12 and Debian 13 read, write and flush a far stick that is shown as a UAS disk") {
  std::vector<fs::path> guests = guests_of_other_releases();
  if (guests.empty()) return skip_case("no guest with the kernel of the other Debian (scripts/lib/fetch_guests)");
  guests.push_back(guest_dir());
  std::set<std::string> kernels;
  for (const fs::path& files : guests) {
    for (const char* speed : {"high", "super"}) {
      CAPTURE(files);
      CAPTURE(speed);
      const std::string kernel = use_far_stick(files, speed);
      kernels.insert(kernel.substr(0, kernel.find('-')));
    }
  }
  CHECK(kernels.size() >= 2);
}
