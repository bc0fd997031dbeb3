// Bytes of a stick, read and written by a real guest.
#include <doctest/doctest.h>

#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

using Desk = GuestScene;

void wait_no_disk(GuestConsole& guest) {
  wait_until("no disk in the guest", 5s, [&] { return guest.run("ls /sys/block | grep -c '^sd'").output == "0"; });
}

}  // namespace

TEST_CASE("sixteen mebibytes have the same sha256 in the guest, at high and super speed, two at full speed") {
  Desk desk;
  struct Case {
    std::string speed;
    std::size_t size;
    std::string port;
    std::string mbit;
  };
  for (const Case& attempt : {Case{"high", 16 * kMiB, "1-1", "480"}, Case{"super", 16 * kMiB, "2-1", "5000"},
                              Case{"full", 2 * kMiB, "1-1", "12"}}) {
    CAPTURE(attempt.speed);
    const fs::path image = desk.dir.path() / (attempt.speed + ".img");
    const std::string sha = make_random_image(image, attempt.size, 11);
    const std::size_t mark = desk.guest.mark();
    Client client(desk.dir, "client-" + attempt.speed, desk.loop, {.image = image, .speed = attempt.speed}, "demo");
    desk.guest.wait_for_line("usbloop-guest: usb add 0951:1666 speed=" + attempt.mbit, 10s, mark);
    const std::string disk = wait_disk(desk.guest, attempt.port);
    CHECK(desk.guest.must_run("cat /sys/block/" + disk + "/size") == std::to_string(attempt.size / 512));
    CHECK(guest_sha256(desk.guest, disk, attempt.size) == sha);
    client.stop();
    desk.guest.wait_for_line("usbloop-guest: usb remove 0951:1666", 5s, mark);
    wait_no_disk(desk.guest);
  }
}

TEST_CASE("what the guest writes is in the image file after the detach") {
  Desk desk;
  const fs::path image = desk.dir.path() / "stick.img";
  std::string expected = random_bytes(8 * kMiB, 21);
  write_file(image, expected);
  {
    Client client(desk.dir, "client", desk.loop, {.image = image}, "demo");
    const std::string disk = wait_disk(desk.guest, "1-1");
    // Copies the first two mebibytes to the end and overwrites one block in the middle.
    desk.guest.must_run("dd if=/dev/" + disk + " of=/dev/" + disk + " bs=1M count=2 seek=6 conv=notrunc && " +
                        "printf usbloop | dd of=/dev/" + disk + " bs=512 seek=6000 conv=notrunc && sync");
    client.stop();
  }
  expected.replace(6 * kMiB, 2 * kMiB, expected.substr(0, 2 * kMiB));
  expected.replace(6000 * 512, 7, "usbloop");
  CHECK(sha256_of_file(image) == sha256_of(expected));
}

TEST_CASE("files go both ways through ext4 and vfat on the stick") {
  Desk desk;
  const std::string to_guest = random_bytes(300'000, 31);
  struct Case {
    std::string kind;
    void (*make)(const fs::path&, std::size_t, const std::map<std::string, std::string>&);
    std::string (*read)(const fs::path&, const std::string&);
  };
  for (const Case& attempt :
       {Case{"ext4", make_ext4_image, read_from_ext4}, Case{"vfat", make_fat_image, read_from_fat}}) {
    CAPTURE(attempt.kind);
    const fs::path image = desk.dir.path() / (attempt.kind + ".img");
    attempt.make(image, 16 * kMiB, {{"to_guest", to_guest}});
    Client client(desk.dir, "client-" + attempt.kind, desk.loop, {.image = image}, "demo");
    const std::string disk = wait_disk(desk.guest, "1-1");
    desk.guest.must_run("mkdir -p /stick && mount -t " + attempt.kind + " /dev/" + disk + " /stick");
    CHECK(desk.guest.must_run("sha256sum < /stick/to_guest").substr(0, 64) == sha256_of(to_guest));
    const std::string written =
        desk.guest.must_run("cat /stick/to_guest /stick/to_guest > /stick/from_guest && sha256sum < /stick/from_guest");
    desk.guest.must_run("umount /stick");
    client.stop();
    wait_no_disk(desk.guest);
    CHECK(sha256_of(attempt.read(image, "from_guest")) == written.substr(0, 64));
    CHECK(attempt.read(image, "from_guest") == to_guest + to_guest);
  }
}

TEST_CASE("a read-only stick refuses writes and keeps its image") {
  Desk desk;
  const fs::path image = desk.dir.path() / "stick.img";
  const std::string sha = make_random_image(image, 4 * kMiB, 41);
  Client client(desk.dir, "client", desk.loop, {.image = image, .more = ",ro"}, "demo");
  const std::string disk = wait_disk(desk.guest, "1-1");
  CHECK(desk.guest.must_run("cat /sys/block/" + disk + "/ro") == "1");
  CHECK(desk.guest.run("dd if=/dev/zero of=/dev/" + disk + " bs=4k count=1 conv=notrunc").status != 0);
  CHECK(guest_sha256(desk.guest, disk, 4 * kMiB) == sha);
  client.stop();
  CHECK(sha256_of_file(image) == sha);
}
