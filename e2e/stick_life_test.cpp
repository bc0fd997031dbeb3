// A stick's life at one guest: partitions, file systems made and checked by the tools of this machine, and a stick that
// is pulled out in the middle of writes.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <optional>

#include "e2e/harness/client.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

/// A guest that has this machine's programs (`host PROGRAM`), and a stick.
class StickBench {
 public:
  StickBench() {
    std::ofstream(image_).close();
    fs::resize_file(image_, 48U << 20);
  }

  /// Plugs the stick in; its disk in the guest, for example /dev/sda.
  std::string plug() {
    stick_.emplace(ProcessSpec{.name = "stick" + std::to_string(++number_),
                               .argv = {device_sim(), "--emulate", "stick,speed=super,image=" + image_.string(), "--to",
                                        "unix:" + (plain_.dir() / "slot.sock").string()},
                               .log_dir = dir_.path()});
    return "/dev/" + wait_disk(guest, "2-1");
  }
  void unplug() {
    stick_->signal(SIGTERM);
    CHECK(stick_->wait_exit(10s).code == 0);
    wait_gone();
  }
  /// The whole program goes, with all that it had under way.
  void pull_out() {
    stick_->kill_hard();
    wait_gone();
  }

 private:
  void wait_gone() {
    guest.must_run("for i in $(seq 400); do [ -e /sys/bus/usb/devices/2-1 ] || break; usleep 50000; done");
  }

  CaseDir dir_;
  const fs::path image_ = dir_.path() / "stick.img";
  PlainGuest plain_{dir_,
                    {.memory = "384M",
                     .kernel_parameters = "usbloop.role=client",
                     .arguments = {"-chardev", "socket,id=slot,path=slot.sock,server=on,wait=off", "-device",
                                   "usb-redir,chardev=slot,bus=xhci.0,port=1", "-virtfs",
                                   "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
                                   "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="}}};
  std::optional<Process> stick_;
  int number_ = 0;

 public:
  GuestConsole& guest = plain_.boot();
};

struct FileSystem {
  const char* kind;
  const char* partition;
  const char* make;
  const char* check;  ///< ends with 0 when nothing is wrong
};
constexpr FileSystem kFileSystems[] = {{"vfat", "1", "mkfs.vfat -n STICK", "fsck.vfat -n"},
                                       {"ext4", "2", "mkfs.ext4 -q -L STICK", "fsck.ext4 -f -n"}};

}  // namespace

TEST_CASE("a stick is partitioned, formatted, filled and read, its file systems are clean, and what was synced stays") {
  StickBench bench;
  GuestConsole& guest = bench.guest;
  std::string disk = bench.plug();
  guest.must_run("printf 'n\\np\\n1\\n\\n+20M\\nt\\nc\\nn\\np\\n2\\n\\n\\nw\\n' | fdisk " + disk + " > /tmp/fdisk");
  guest.must_run("for i in $(seq 200); do [ -b " + disk + "2 ] && break; usleep 50000; done; mkdir /vfat /ext4");
  for (const FileSystem& system : kFileSystems) {
    CAPTURE(system.kind);
    const std::string partition = disk + system.partition, place = std::string("/") + system.kind;
    const std::string mount = std::string("mount -t ") + system.kind + " " + partition + " " + place;
    guest.must_run(std::string("host ") + system.make + " " + partition, 60s);
    guest.must_run(mount + " && head -c 9000000 /dev/urandom > /tmp/file && mkdir " + place +
                       "/folder && cp /tmp/file " + place + "/folder/file && umount " + place +
                       " && echo 3 > /proc/sys/vm/drop_caches",
                   60s);
    guest.must_run(
        mount + " && cmp /tmp/file " + place + "/folder/file && rm " + place + "/folder/file && umount " + place, 60s);
    const auto check = guest.run(std::string("host ") + system.check + " " + partition, 60s);
    CHECK_MESSAGE(check.status == 0, check.output);
    guest.must_run(std::string("mv /tmp/file /tmp/kept.") + system.kind);
    // What is synced before the stick is pulled out, and a writer that goes on until then.
    guest.must_run(mount + " && dd if=/tmp/kept." + system.kind + " of=" + place +
                       "/kept bs=64k conv=fsync 2>/dev/null && sync; " + "(i=0; while dd if=/dev/zero of=" + place +
                       "/busy$i bs=64k count=8 2>/dev/null; do i=$(((i + 1) % 20)); done) > /dev/null 2>&1 & true",
                   60s);
    guest.must_run("for i in $(seq 100); do [ -s " + place + "/busy3 ] && break; usleep 20000; done");
  }
  bench.pull_out();
  guest.must_run("umount -l /vfat; umount -l /ext4");

  disk = bench.plug();
  guest.must_run("for i in $(seq 200); do [ -b " + disk + "2 ] && break; usleep 50000; done");
  for (const FileSystem& system : kFileSystems) {
    CAPTURE(system.kind);
    const std::string partition = disk + system.partition, place = std::string("/") + system.kind;
    guest.must_run(std::string("mount -t ") + system.kind + " " + partition + " " + place, 60s);
    const std::string sums =
        guest.must_run("sha256sum < " + place + "/kept; sha256sum < /tmp/kept." + system.kind, 60s);
    CHECK(sums.substr(0, 64) == sums.substr(sums.find('\n') + 1, 64));
    guest.must_run("umount " + place);
  }
  // ext4 has a journal: the mount has made it whole.
  const auto check = guest.run("host fsck.ext4 -f -n " + disk + "2", 60s);
  CHECK_MESSAGE(check.status == 0, check.output);
  bench.unplug();
}
