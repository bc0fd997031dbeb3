// The four USB slots of a VMI.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

using Desk = GuestScene;

}  // namespace

TEST_CASE("four different devices at once carry right data, a fifth is refused until one of them leaves") {
  Desk desk;
  struct Device {
    Stick stick;
    std::string sha;
  };
  std::vector<Device> devices = {{{.id = "0951:1666", .speed = "high", .serial = "ONE"}, {}},
                                 {{.id = "0781:5567", .speed = "super", .serial = "TWO"}, {}},
                                 {{.id = "058f:6387", .speed = "full", .serial = "THREE"}, {}},
                                 {{.id = "13fe:4200", .speed = "high", .serial = "FOUR"}, {}}};
  const std::vector<std::string> ports = {"1-1", "2-2", "1-3", "1-4"};
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    devices[i].stick.image = desk.dir.path() / ("stick" + std::to_string(i) + ".img");
    devices[i].sha = make_random_image(devices[i].stick.image, (i + 1) * kMiB, 100 + i);
    const std::string name = "client" + std::to_string(i);
    clients.push_back(std::make_unique<Client>(desk.dir, name, desk.loop, devices[i].stick, "demo"));
  }
  std::vector<std::string> disks;
  for (const auto& port : ports) disks.push_back(wait_disk(desk.guest, port));

  const Stick fifth{.image = desk.dir.path() / "fifth.img", .id = "0930:6545"};
  const std::string fifth_sha = make_random_image(fifth.image, kMiB, 200);
  const auto refused = run_client(desk.dir, "fifth-refused",
                                  {"--kubeconfig", desk.loop.kubeconfig(), "--emulate", fifth.spec(), "demo"});
  CHECK(refused.status.code == 1);
  const std::string text =
      "Can't access VMI demo: Internal error occurred: Can't connect to websocket (503): websocket: bad handshake";
  CHECK_MESSAGE(refused.err.find(text) != std::string::npos, refused.err);

  // All four at the same time, then each for itself.
  std::string all = "(";
  for (std::size_t i = 0; i < disks.size(); ++i) {
    all += "dd if=/dev/" + disks[i] + " bs=1M 2>/dev/null | sha256sum > /tmp/sum" + std::to_string(i) + " & ";
  }
  desk.guest.must_run(all + "wait)", 60s);
  for (std::size_t i = 0; i < disks.size(); ++i) {
    CAPTURE(devices[i].stick.id);
    CHECK(desk.guest.must_run("cat /tmp/sum" + std::to_string(i)).substr(0, 64) == devices[i].sha);
  }

  // The lowest free slot is taken: that of the second client.
  std::size_t mark = desk.guest.mark();
  clients[1]->stop();
  desk.guest.wait_for_line("usbloop-guest: usb remove 0781:5567", 5s, mark);
  mark = desk.guest.mark();
  Client late(desk.dir, "fifth", desk.loop, fifth, "demo");
  CHECK_NOTHROW(desk.guest.wait_for_line("usbloop-guest: usb add 0930:6545 .*path=1-2", 10s, mark));
  CHECK(guest_sha256(desk.guest, wait_disk(desk.guest, "1-2"), kMiB) == fifth_sha);
  late.stop();
  for (const auto i : std::initializer_list<std::size_t>{0, 2, 3}) clients[i]->stop();
}

TEST_CASE("connects and disconnects in a row, 32 in a change and 100 in the long form") {
  Desk desk;
  const fs::path image = desk.dir.path() / "stick.img";
  const std::string sha = make_random_image(image, kMiB, 1);
  std::size_t fds_apiserver = 0;
  std::size_t fds_launcher = 0;
  for (int round = 1; round <= USBLOOP_CYCLES; ++round) {
    CAPTURE(round);
    const std::size_t mark = desk.guest.mark();
    Client client(desk.dir, "client" + std::to_string(round), desk.loop, {.image = image}, "demo");
    desk.guest.wait_for_line("usbloop-guest: usb add 0951:1666 .*path=1-1", 10s, mark);
    // Waits for the disk before the detach. QEMU loses a control transfer that is under way when a device goes: no
    // completion reaches the guest, whose kernel then waits seconds before it looks at the port.
    const std::string disk = wait_disk(desk.guest, "1-1");
    if (round % 8 == 0) CHECK(guest_sha256(desk.guest, disk, kMiB) == sha);
    client.stop();
    desk.guest.wait_for_line("usbloop-guest: usb remove 0951:1666", 15s, mark);  // as detach_test
    if (round == 1) {
      fds_apiserver = open_fds(desk.loop.apiserver().pid());
      fds_launcher = open_fds(desk.loop.launcher().pid());
    }
  }
  // Nothing is lost on the way: as many descriptors as after the first.
  CHECK(holds_within(5s, [&] { return open_fds(desk.loop.apiserver().pid()) <= fds_apiserver; }));
  CHECK(holds_within(5s, [&] { return open_fds(desk.loop.launcher().pid()) <= fds_launcher; }));
}
