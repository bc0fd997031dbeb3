// The emulated SSD at a QEMU without a loop: the guest's driver is uas.
#include <doctest/doctest.h>

#include <csignal>
#include <random>

#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

PlainGuestOptions with_two_slots() {
  const std::string tools = fs::path(USBLOOP_SCSI_RESET).parent_path();
  return {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                        "usb-redir,chardev=slot0,bus=xhci.0,port=1", "-chardev",
                        "socket,id=slot1,path=slot1.sock,server=on,wait=off", "-device",
                        "usb-redir,chardev=slot1,bus=xhci.0,port=2", "-virtfs",
                        "local,path=" + tools + ",mount_tag=tools,security_model=none,readonly=on"}};
}

struct Ssd {
  Ssd(const CaseDir& dir, const PlainGuest& guest, const std::string& name, int slot, const std::string& more)
      : image(dir.path() / (name + ".img")),
        sha(make_random_image(image, 32 * kMiB, 3)),
        process({.name = name,
                 .argv = {device_sim(), "--emulate", "ssd,image=" + image.string() + more, "--to",
                          "unix:" + (guest.dir() / ("slot" + std::to_string(slot) + ".sock")).string()},
                 .log_dir = dir.path()}) {}

  fs::path image;
  std::string sha;
  Process process;
};

std::string driver_of(GuestConsole& guest, const std::string& port) {
  return guest.must_run("basename $(readlink /sys/bus/usb/devices/" + port + ":1.0/driver)");
}

/// Four readers at once, each of 12 pieces at places without an order.
void read_by_chance(GuestConsole& guest, const std::string& content, const std::string& disk) {
  constexpr std::size_t kPiece = 1 << 16;
  std::minstd_rand random(4);
  std::string command = "echo 3 > /proc/sys/vm/drop_caches";
  std::vector<std::string> expected(4);
  for (std::size_t reader = 0; reader < expected.size(); ++reader) {
    std::string places;
    for (int piece = 0; piece < 12; ++piece) {
      const std::size_t place = random() % (content.size() / kPiece);
      places += " " + std::to_string(place);
      expected[reader] += content.substr(place * kPiece, kPiece);
    }
    command += (reader == 0 ? "; (for i in" : " (for i in") + places + "; do dd if=/dev/" + disk +
               " bs=64k count=1 iflag=direct skip=$i 2>/dev/null; done | sha256sum > /tmp/part" +
               std::to_string(reader) + ") &";
  }
  guest.must_run(command + " wait", 60s);
  for (std::size_t reader = 0; reader < expected.size(); ++reader) {
    CHECK(guest.must_run("cat /tmp/part" + std::to_string(reader)).substr(0, 64) == sha256_of(expected[reader]));
  }
}

/// Reads all, by four readers at once too; then copies the first quarter to the last, and flushes.
void use(GuestConsole& guest, Ssd& ssd, const std::string& disk) {
  CHECK(std::stoi(guest.must_run("cat /sys/block/" + disk + "/device/queue_depth")) > 8);
  CHECK(guest.must_run("cat /sys/block/" + disk + "/queue/rotational") == "0");
  CHECK(guest.must_run("cat /sys/block/" + disk + "/removable") == "0");
  CHECK(guest_sha256(guest, disk, 32 * kMiB) == ssd.sha);
  const std::string content = read_file(ssd.image);
  guest.must_run("echo 3 > /proc/sys/vm/drop_caches; for i in 0 1 2 3; do dd if=/dev/" + disk +
                 " bs=1M skip=$((i * 8)) count=8 2>/dev/null | sha256sum > /tmp/part$i & done; wait");
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(guest.must_run("cat /tmp/part" + std::to_string(i)).substr(0, 64) ==
          sha256_of(content.substr(i * 8 * kMiB, 8 * kMiB)));
  }
  read_by_chance(guest, content, disk);
  guest.must_run("dd if=/dev/" + disk + " of=/dev/" + disk + " bs=1M count=8 seek=24 conv=notrunc,fsync 2>/dev/null");
  std::string expected = content;
  expected.replace(24 * kMiB, 8 * kMiB, content.substr(0, 8 * kMiB));
  CHECK(read_file(ssd.image) == expected);
}

}  // namespace

TEST_CASE("the guest's driver uas takes the SSD, with streams at super speed and without at high speed") {
  const CaseDir dir;
  PlainGuest plain(dir, with_two_slots());
  GuestConsole& guest = plain.boot();
  Ssd super(dir, plain, "super", 0, "");
  guest.wait_for_line("usbloop-guest: usb add 0781:55ae speed=5000 product=\"Extreme 55AE\" path=2-1", 15s);
  const std::string disk = wait_disk(guest, "2-1");
  CHECK(driver_of(guest, "2-1") == "uas");
  use(guest, super, disk);

  Ssd high(dir, plain, "high", 1, ",speed=high,serial=HIGH01");
  guest.wait_for_line("usbloop-guest: usb add 0781:55ae speed=480 .*path=1-2", 15s);
  const std::string slower = wait_disk(guest, "1-2");
  CHECK(driver_of(guest, "1-2") == "uas");
  use(guest, high, slower);

  CHECK(guest.run("dmesg | grep -E 'uas_eh|cmd cmplt err|stat urb|data cmplt err|unexpected'").output.empty());
  for (Ssd* ssd : {&super, &high}) {
    ssd->process.signal(SIGTERM);
    CHECK(ssd->process.wait_exit(5s).code == 0);
  }
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 0781:55ae path=1-2", 5s));
}

TEST_CASE("the driver goes in the middle of reads and comes back, and without uas the SSD works by Bulk-Only") {
  const CaseDir dir;
  PlainGuest plain(dir, with_two_slots());
  GuestConsole& guest = plain.boot();
  Ssd ssd(dir, plain, "ssd", 0, "");
  const std::string disk = wait_disk(guest, "2-1");
  guest.must_run("for i in 0 1 2 3; do (while dd if=/dev/" + disk +
                 " of=/dev/null bs=1M iflag=direct 2>/dev/null; do :; done) & done; sleep 0.3; "
                 "echo 2-1:1.0 > /sys/bus/usb/drivers/uas/unbind; wait");
  guest.must_run("echo 2-1:1.0 > /sys/bus/usb/drivers/uas/bind");
  CHECK(guest_sha256(guest, wait_disk(guest, "2-1"), 32 * kMiB) == ssd.sha);

  guest.must_run(
      "echo 2-1:1.0 > /sys/bus/usb/drivers/uas/unbind; echo 0781:55ae:u > "
      "/sys/module/usb_storage/parameters/quirks; echo 2-1:1.0 > /sys/bus/usb/drivers/usb-storage/bind");
  CHECK(driver_of(guest, "2-1") == "usb-storage");
  CHECK(guest_sha256(guest, wait_disk(guest, "2-1"), 32 * kMiB) == ssd.sha);
  ssd.process.signal(SIGTERM);
  CHECK(ssd.process.wait_exit(5s).code == 0);
}

TEST_CASE(
    "a command without an answer is aborted, and a reset in the middle of four readers and a writer loses nothing") {
  const CaseDir dir;
  PlainGuest plain(dir, with_two_slots());
  GuestConsole& guest = plain.boot();
  guest.must_run("mkdir /tools && mount -t 9p -o trans=virtio,version=9p2000.L,ro tools /tools");
  Ssd ssd(dir, plain, "ssd", 0, "");
  const std::string disk = wait_disk(guest, "2-1");
  const std::string content = read_file(ssd.image);
  const std::string says = "; echo 3 > /proc/sys/vm/drop_caches; dmesg -c > /dev/null; ";
  const std::string readers = "for i in 0 1 2 3; do dd if=/dev/" + disk +
                              " bs=64k skip=$((i * 96)) count=96 iflag=direct 2>/dev/null | sha256sum > /tmp/part$i & "
                              "done; dd if=/dev/" +
                              disk + " of=/dev/" + disk + " bs=64k count=64 seek=448 conv=notrunc,fsync 2>/dev/null & ";
  const auto check = [&] {
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(guest.must_run("cat /tmp/part" + std::to_string(i)).substr(0, 64) ==
            sha256_of(content.substr(i * 6 * kMiB, 6 * kMiB)));
    }
    std::string expected = content;
    expected.replace(28 * kMiB, 4 * kMiB, content.substr(0, 4 * kMiB));
    CHECK(read_file(ssd.image) == expected);
  };
  guest.must_run(":" + says + readers + "usleep 50000; /tools/scsi_reset /dev/" + disk + "; wait", 60s);
  CHECK(guest.run("dmesg | grep -q 'uas_eh_device_reset_handler success'").status == 0);
  check();
  ssd.process.signal(SIGTERM);
  CHECK(ssd.process.wait_exit(5s).code == 0);

  // One status does not come: the guest gives its command up after a second, and tries again.
  guest.must_run("for i in $(seq 400); do [ -e /sys/bus/usb/devices/2-1 ] || break; usleep 50000; done");
  Ssd mute(dir, plain, "mute", 0, ",fault=timeout:endpoint=0x83:at=120");
  const std::string again = wait_disk(guest, "2-1");
  REQUIRE(again == disk);
  guest.must_run("echo 1 > /sys/block/" + disk + "/device/timeout" + says + readers + "wait", 60s);
  const std::string log = guest.run("dmesg").output;
  CHECK_MESSAGE(log.find("uas_eh_abort_handler") != std::string::npos, log);
  CHECK_MESSAGE(log.find("uas_eh_device_reset_handler success") != std::string::npos, log);
  check();
  mute.process.signal(SIGTERM);
  CHECK(mute.process.wait_exit(5s).code == 0);
}
