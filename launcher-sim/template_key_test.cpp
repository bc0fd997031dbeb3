#include "launcher-sim/template_key.h"

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;

namespace {

struct Machine {
  test::TestDirectory directory;
  QemuHost host;
  GuestSpec guest;

  Machine() {
    host.qemu = directory / "qemu";
    host.kernel = directory / "vmlinux";
    host.initramfs = directory / "initramfs";
    for (const auto& file : {host.qemu, host.kernel, host.initramfs}) std::ofstream(file) << "content";
    guest.vmi_namespace = "default";
    guest.name = guest.hostname = "demo";
    guest.uid = "0e4b039f-eaea-4be4-8c97-93f935dd51b6";
  }
  [[nodiscard]] std::string key() const {
    auto key = template_key(guest, host);
    REQUIRE(key);
    return *key;
  }
};

}  // namespace

TEST_CASE("guests of a shape have one template, whoever they are and whatever way leads to their kernel") {
  Machine machine;
  const std::string key = machine.key();
  CHECK(key.size() == 32);
  CHECK(key.find_first_not_of("0123456789abcdef") == std::string::npos);
  machine.guest.name = machine.guest.hostname = "other";
  machine.guest.uid = "11111111-eaea-4be4-8c97-93f935dd51b6";
  CHECK(machine.key() == key);
  std::filesystem::create_symlink(machine.directory.path(), machine.directory / "link");
  machine.host.kernel = machine.directory / "link/vmlinux";
  CHECK(machine.key() == key);
}

TEST_CASE("another shape, QEMU, kernel or kernel parameter is another template") {
  Machine machine;
  std::set<std::string> keys = {machine.key()};
  const auto differs = [&](const char* what) {
    CAPTURE(what);
    CHECK(keys.insert(machine.key()).second);
  };
  machine.guest.memory_mib = 512;
  differs("memory");
  machine.guest.cores = 2;
  differs("cores");
  machine.guest.client_passthrough = true;
  differs("slots");
  machine.guest.graphics = false;
  differs("display");
  machine.host.kernel_parameters += " quiet";
  differs("parameters");
  machine.host.quick_firmware = "/usr/share/qemu/qboot.rom";
  differs("firmware");
  machine.host.accelerator = "kvm";
  differs("accelerator");
  for (const auto& file : {machine.host.qemu, machine.host.kernel, machine.host.initramfs}) {
    std::ofstream(file) << "new content";
    differs(file.c_str());
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    differs(file.c_str());
  }
}

TEST_CASE("without the kernel there is no template of it") {
  Machine machine;
  std::filesystem::remove(machine.host.kernel);
  CHECK(template_key(machine.guest, machine.host).error().kind == ErrorKind::not_found);
}
