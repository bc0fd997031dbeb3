// A stick that another program redirects, read by a real guest through --launch and --no-launch.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

}  // namespace

TEST_CASE("a guest reads the same bytes from a stick of a program that is launched, and of one that is not") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo");
  GuestConsole& guest = vmi.boot();
  const fs::path image = dir.path() / "stick.img";
  const std::string sha = make_random_image(image, 8 * kMiB, 51);
  const std::map<std::string, std::string> emulate = {{"USBLOOP_EMULATE", "stick,image=" + image.string()}};

  std::size_t mark = guest.mark();
  Process launching = start_client(
      dir, "launching", {"--kubeconfig", loop.kubeconfig(), "--launch=" + device_sim().string(), "0951:1666", "demo"},
      emulate);
  guest.wait_for_line("usbloop-guest: usb add 0951:1666", 15s, mark);
  CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), 8 * kMiB) == sha);
  launching.signal(SIGINT);
  CHECK(launching.wait_exit(10s).code == 0);
  guest.wait_for_line("usbloop-guest: usb remove 0951:1666", 5s, mark);

  mark = guest.mark();
  Process waiting = start_client(dir, "waiting", {"--kubeconfig", loop.kubeconfig(), "--no-launch", "demo"});
  const std::string address = waiting.wait_out("at: (127\\.0\\.0\\.1:[1-9][0-9]*)\n", 10s);
  Process program({.name = "usbredirect",
                   .argv = {device_sim(), "--device", "0951:1666", "--to", address},
                   .log_dir = dir.path(),
                   .env = emulate});
  guest.wait_for_line("usbloop-guest: usb add 0951:1666", 15s, mark);
  CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), 8 * kMiB) == sha);
  program.signal(SIGTERM);
  CHECK(program.wait_exit(10s).code == 0);
  CHECK(waiting.wait_exit(10s).code == 1);
  guest.wait_for_line("usbloop-guest: usb remove 0951:1666", 5s, mark);
}
