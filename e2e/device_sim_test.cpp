// device-sim in the place of usbredirect, at a QEMU without a loop.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

PlainGuestOptions with_slot(const std::string& chardev) {
  return {
      .arguments = {"-chardev", "socket,id=slot," + chardev, "-device", "usb-redir,chardev=slot,bus=xhci.0,port=1"}};
}

}  // namespace

TEST_CASE("device-sim connects to a unix socket of QEMU and the guest reads its stick") {
  const CaseDir dir;
  const fs::path image = dir.path() / "stick.img";
  const std::string sha = make_random_image(image, 4 * kMiB, 1);
  PlainGuest plain(dir, with_slot("path=slot.sock,server=on,wait=off"));
  GuestConsole& guest = plain.boot();
  Process device({.name = "device-sim",
                  .argv = {device_sim(), "--emulate", "stick,image=" + image.string() + ",id=0951:1666", "--to",
                           "unix:" + (plain.dir() / "slot.sock").string()},
                  .log_dir = dir.path()});
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb add 0951:1666 speed=480 .*path=1-1", 15s));
  CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), 4 * kMiB) == sha);
  device.signal(SIGTERM);
  CHECK(device.wait_exit(5s).code == 0);
  CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 0951:1666 path=1-1", 5s));
}

TEST_CASE("device-sim listens, QEMU connects to it, and the guest writes to its stick") {
  const CaseDir dir;
  const fs::path image = dir.path() / "stick.img";
  make_random_image(image, 4 * kMiB, 1);
  Process device({.name = "device-sim",
                  .argv = {device_sim(), "--emulate", "stick,image=" + image.string() + ",id=0951:1666,speed=super",
                           "--as", "127.0.0.1:0", "-v", "3"},
                  .log_dir = dir.path()});
  const std::string port = device.wait_err("127\\.0\\.0\\.1:([1-9][0-9]*)", 10s);
  PlainGuest plain(dir, with_slot("host=127.0.0.1,port=" + port + ",reconnect=1"));
  GuestConsole& guest = plain.boot();
  const std::string disk = wait_disk(guest, "2-1");
  guest.must_run("tr '\\0' w < /dev/zero | dd of=/dev/" + disk + " bs=1M count=4 iflag=fullblock conv=notrunc,fsync");
  device.signal(SIGINT);
  CHECK(device.wait_exit(5s).code == 0);
  CHECK(read_file(image) == std::string(4 * kMiB, 'w'));
}
