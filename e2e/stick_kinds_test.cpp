// Sticks of several kinds at one guest without a loop: an overlay and its eject, 3 TiB, and a directory.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMiB = 1 << 20, kTiB = std::uint64_t{1} << 40;

/// A guest with a slot, and with /tools, where its program is.
struct StickRig {
  StickRig() : guest(plain.boot()) {
    guest.must_run("mkdir /tools /stick && mount -t 9p -o trans=virtio,version=9p2000.L,ro tools /tools");
  }

  static PlainGuestOptions options() {
    const std::string tools = fs::path(USBLOOP_EJECT).parent_path();
    return {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                          "usb-redir,chardev=slot0,bus=xhci.0,port=1", "-virtfs",
                          "local,path=" + tools + ",mount_tag=tools,security_model=none,readonly=on"}};
  }

  Process plug(const std::string& spec) {
    return Process({.name = "stick",
                    .argv = {device_sim(), "--emulate", spec, "--to", "unix:" + (plain.dir() / "slot0.sock").string()},
                    .log_dir = dir.path()});
  }

  void end(Process& stick, const std::string& port) {
    const auto mark = guest.mark();
    stick.signal(SIGTERM);
    CHECK(stick.wait_exit(10s).code == 0);
    guest.wait_for_line("usbloop-guest: usb remove 0951:1666 path=" + port, 5s, mark);
  }

  CaseDir dir;
  PlainGuest plain{dir, options()};
  GuestConsole& guest;
};

void check_overlay(StickRig& rig) {
  const std::string content = random_bytes(300'000, 5);
  const fs::path image = rig.dir.path() / "overlay.img";
  make_fat_image(image, 16 * kMiB, {{"there", content}});
  const std::string before = sha256_of_file(image);
  Process stick = rig.plug("stick,overlay,image=" + image.string());
  const std::string disk = "/dev/" + wait_disk(rig.guest, "1-1");
  rig.guest.must_run("mount -t vfat " + disk +
                     " /stick && cat /stick/there /stick/there > /stick/twice && sync && "
                     "rm /stick/there && umount /stick && echo 3 > /proc/sys/vm/drop_caches && mount -t vfat " +
                     disk + " /stick");
  CHECK(rig.guest.must_run("ls /stick") == "twice");
  CHECK(rig.guest.must_run("sha256sum < /stick/twice").substr(0, 64) == sha256_of(content + content));
  const auto locked = rig.guest.run("/tools/eject " + disk);
  CHECK(locked.status == 1);
  CHECK(locked.output == "sense 05/53/02");  // medium removal prevented
  rig.guest.must_run("umount /stick && /tools/eject -u " + disk);
  const auto gone = rig.guest.run("dd if=" + disk + " of=/dev/null bs=512 count=1 2>&1");
  CHECK(gone.status != 0);
  CHECK_MESSAGE(gone.output.find("No medium found") != std::string::npos, gone.output);
  rig.end(stick, "1-1");
  CHECK(sha256_of_file(image) == before);
}

void check_large(StickRig& rig) {
  const fs::path image = rig.dir.path() / "large.img";
  write_file(image, "");
  fs::resize_file(image, 3 * kTiB);
  Process stick = rig.plug("stick,speed=super,image=" + image.string());
  const std::string name = wait_disk(rig.guest, "2-1");
  CHECK(rig.guest.must_run("cat /sys/block/" + name + "/size") == std::to_string(3 * kTiB / 512));
  struct Place {
    std::uint64_t at;
    const char* text;
  };
  const std::vector<Place> places = {
      {0, "first"}, {2 * kTiB - 4096, "below"}, {2 * kTiB, "above"}, {3 * kTiB - 4096, "last"}};
  for (const Place& place : places) {
    rig.guest.must_run(std::string("printf ") + place.text + " | dd of=/dev/" + name +
                       " bs=4096 conv=sync,notrunc,fsync seek=" + std::to_string(place.at / 4096) + " 2>/dev/null");
  }
  rig.guest.must_run("echo 3 > /proc/sys/vm/drop_caches");
  std::ifstream file(image, std::ios::binary);
  for (const Place& place : places) {
    CAPTURE(place.text);
    const std::string text = place.text;
    CHECK(rig.guest.must_run("dd if=/dev/" + name + " bs=4096 count=1 skip=" + std::to_string(place.at / 4096) +
                             " 2>/dev/null | head -c " + std::to_string(text.size())) == text);
    std::string there(text.size(), 0);
    file.seekg(static_cast<std::streamoff>(place.at));
    file.read(there.data(), static_cast<std::streamsize>(there.size()));
    CHECK(there == text);
  }
  rig.end(stick, "2-1");
}

void check_directory(StickRig& rig) {
  const fs::path in = rig.dir.path() / "in";
  const std::string small = random_bytes(100'000, 9), tail = random_bytes(5000, 10);
  const std::string name =
      "\xc3\x9c"
      "berma\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x98\x80.txt";
  constexpr std::uint64_t kBig = 0xffff'ffff;
  fs::create_directories(in / "a" / "b");
  write_file(in / "a" / "b" / name, small);
  write_file(in / "big", "");
  fs::resize_file(in / "big", kBig - tail.size());
  std::ofstream(in / "big", std::ios::binary | std::ios::app) << tail;
  Process stick = rig.plug("stick,speed=super,dir=" + in.string());
  const std::string disk = wait_disk(rig.guest, "2-1");
  CHECK(rig.guest.must_run("cat /sys/block/" + disk + "/ro") == "1");
  rig.guest.must_run("mount -t vfat -o ro,utf8 /dev/" + disk + " /stick");
  // Not by ls, which has question marks for what is not ASCII.
  CHECK(rig.guest.must_run("cd /stick/a/b; for file in *; do echo \"$file\" | sha256sum; done").substr(0, 64) ==
        sha256_of(name + "\n"));
  CHECK(rig.guest.must_run("cat /stick/a/b/* | sha256sum").substr(0, 64) == sha256_of(small));
  CHECK(rig.guest.must_run("stat -c %s /stick/big") == std::to_string(kBig));
  CHECK(rig.guest.must_run("tail -c " + std::to_string(tail.size()) + " /stick/big | sha256sum", 60s).substr(0, 64) ==
        sha256_of(tail));
  rig.guest.must_run("cd /; umount /stick");
  rig.end(stick, "2-1");
}

}  // namespace

TEST_CASE("an overlay leaves its image alone and is ejected, 3 TiB are right, and a directory shows its files") {
  StickRig rig;
  check_overlay(rig);
  check_large(rig);
  check_directory(rig);
  CHECK(rig.guest.run("dmesg | grep -E 'FAT-fs.*(rror|nvalid|corrupt)'").output.empty());
}
