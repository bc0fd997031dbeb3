// A reset of the device is no unplug. The real client and the real libusb run on a machine whose USB device umockdev
// makes up. The device's number in sysfs changes as the kernel changes it in a reset.
#include <doctest/doctest.h>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/slot_node.h"
#include "e2e/harness/usbredir_bytes.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

constexpr const char* kNode = "bus/usb/001/003";

/// A high-speed device in umockdev's notation, unconfigured, as umockdev cannot claim interfaces.
std::string made_up_device(const std::string& number) {
  const std::string node = kNode;
  return "P: /devices/pci0000:00/usb1/1-1\nN: " + node + "\nE: BUSNUM=001\nE: DEVNUM=003\nE: DEVNAME=/dev/" + node +
         "\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nA: busnum=1\\n\nA: devnum=" + number +
         "\\n\nA: speed=480\\n\nA: bConfigurationValue=\nA: product=Made up\\n\n"
         "H: descriptors=1201000200000040510966160100010203010902200001010080320904000002080650000705810200020007050202"
         "000200\n\n";
}

/// The client in that machine.
class Machine {
 public:
  Machine(const CaseDir& dir, const std::string& number, std::vector<std::string> arguments)
      : path_(dir.subdir("usb")) {
    write_file(path_ / "devices", made_up_device(number));
    write_file(path_ / "ioctls", std::string("@DEV /dev/") + kNode + "\nUSBDEVFS_GET_CAPABILITIES 0 63\n");
    std::vector<std::string> argv = {"umockdev-run",
                                     "-d",
                                     path_ / "devices",
                                     "-i",
                                     std::string("/dev/") + kNode + "=" + (path_ / "ioctls").string(),
                                     "--",
                                     kubectl_usbredir().string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    client_ = std::make_unique<Process>(
        ProcessSpec{.name = "client",
                    .argv = std::move(argv),
                    .log_dir = dir.path(),
                    .env = {{"TMPDIR", path_.string()}, {"HOME", path_.string()}, {"KUBECONFIG", ""}}});
  }

  Process& client() { return *client_; }

  /// What sysfs says is the device's number. Replaced in one step.
  void set_number(const std::string& number) {
    const fs::path file = devnum();
    write_file(path_ / "number", number + "\n");
    fs::rename(path_ / "number", file);
  }

 private:
  /// umockdev has its /sys in a directory of its own.
  fs::path devnum() {
    fs::path found;
    wait_until("umockdev's devices", 30s, [&] {
      for (const auto& entry : fs::directory_iterator(path_)) {
        const fs::path file = entry.path() / "sys/devices/pci0000:00/usb1/1-1/devnum";
        if (fs::exists(file)) found = file;
      }
      return !found.empty();
    });
    return found;
  }

  fs::path path_;
  std::unique_ptr<Process> client_;
};

bool skipped_without_umockdev() {
  if (on_path("umockdev-run")) return false;
  skip_case("umockdev-run is not installed (package umockdev)");
  return true;
}

}  // namespace

TEST_CASE("a device that the guest resets stays redirected: its number in sysfs goes 3, 0, 3, 0, 3") {
  if (skipped_without_umockdev()) return;
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  SlotNode node(loop, Way::handoff);
  Machine machine(dir, "3", {"--once", "--kubeconfig", loop.kubeconfig(), "1-3", "demo"});
  const auto slot = node.accept(0, 60s);
  CHECK(slot->send(qemu_hello()));
  machine.client().wait_err("Redirecting 0951:1666", 30s);

  for (int reset = 0; reset < 3; ++reset) {
    machine.set_number("0");
    // Longer than any look that is repeated within a second: such a look would lose the device.
    const bool lost = holds_within(1s, [&] { return !machine.client().running(); });
    REQUIRE_MESSAGE(!lost, machine.client().output());
    machine.set_number("3");
  }
  CHECK_FALSE(contains(machine.client().err(), "unplugged"));
  slot->close();
  CHECK(machine.client().wait_exit(30s).code == 1);
}

TEST_CASE("a device that is being reset while devices are listed is waited for") {
  if (skipped_without_umockdev()) return;
  const CaseDir dir;
  Machine machine(dir, "0", {"--list"});
  CHECK_FALSE(holds_within(1s, [&] { return !machine.client().running(); }));
  machine.set_number("3");
  CHECK(machine.client().wait_exit(30s).code == 0);
  CHECK_MESSAGE(contains(machine.client().out(), "Bus 001 Device 003: ID 0951:1666"), machine.client().output());
}
