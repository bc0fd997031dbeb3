#include "launcher-sim/qemu_command.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;

namespace {

QemuHost host(const std::string& accelerator = "tcg") {
  return {"qemu-system-x86_64", accelerator, "/guest/vmlinux", "/guest/initramfs.cpio.gz", "console=ttyS0 quiet"};
}

GuestSpec guest() {
  return {.vmi_namespace = "default",
          .name = "demo",
          .uid = "0e4b039f-eaea-4be4-8c97-93f935dd51b6",
          .hostname = "demo",
          .memory_mib = 256,
          .cores = 1,
          .client_passthrough = true};
}

/// The command line against the file; USBLOOP_UPDATE_GOLDEN=1 writes the file anew, for a person to look at the diff.
void check_golden(const std::string& name, const std::vector<std::string>& argv) {
  std::string text;
  for (const auto& argument : argv) text += argument + "\n";
  const std::string path = std::string(USBLOOP_GOLDEN_DIR) + "/" + name;
  if (std::getenv("USBLOOP_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  REQUIRE(file);
  CHECK(text == std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace

TEST_CASE("the command line of a VMI with client passthrough is the golden one") {
  check_golden("client_passthrough.args", qemu_command(guest(), host()));
}

TEST_CASE("the command line of a VMI without USB slots, with KVM, is the golden one") {
  GuestSpec spec = guest();
  spec.client_passthrough = false;
  spec.memory_mib = 1024;
  spec.cores = 4;
  check_golden("kvm_without_slots.args", qemu_command(spec, host("kvm")));
}

TEST_CASE("the command lines of a template and of its copies are the golden ones") {
  check_golden("template.args", template_command(guest(), host(), "/templates/a,b/memory"));
  check_golden("clone.args", clone_command(guest(), host(), "/templates/a,b/memory"));
}

TEST_CASE("a template and its copies are the same machine but for names, the use of the memory and the parameters") {
  auto of_template = template_command(guest(), host(), "/memory");
  auto of_clone = clone_command(guest(), host(), "/memory");
  REQUIRE(of_clone.size() == of_template.size() + 2);
  CHECK(of_clone[of_clone.size() - 2] == "-incoming");
  std::vector<std::string> differing;
  for (std::size_t i = 0; i < of_template.size(); ++i) {
    if (of_template[i] != of_clone[i]) differing.push_back(of_template[i - 1]);
  }
  CHECK(differing == std::vector<std::string>{"-name", "-uuid", "-object", "-append"});
}

TEST_CASE("the quick firmware is every guest's that does not say how it starts, template and copy alike") {
  QemuHost quick = host();
  quick.quick_firmware = "/usr/share/qemu/qboot.rom";
  const auto firmware = [](const std::vector<std::string>& argv) {
    const auto found = std::find(argv.begin(), argv.end(), "-bios");
    return found == argv.end() ? std::string() : *(found + 1);
  };
  CHECK(firmware(qemu_command(guest(), quick)) == quick.quick_firmware);
  CHECK(firmware(template_command(guest(), quick, "/memory")) == quick.quick_firmware);
  CHECK(firmware(clone_command(guest(), quick, "/memory")) == quick.quick_firmware);
  CHECK(firmware(qemu_command(guest(), host())).empty());
  GuestSpec other = guest();
  other.own_start = true;
  CHECK(firmware(qemu_command(other, quick)).empty());
}

TEST_CASE("SMBIOS shows the UUID and serial number that a VMI sets") {
  GuestSpec spec = guest();
  spec.system_uuid = "5d307ca9-b3ef-428c-8861-06e72d69f223";
  spec.system_serial = "A1,B2";
  const auto argv = qemu_command(spec, host());
  const auto has = [&argv](const std::string& text) { return std::find(argv.begin(), argv.end(), text) != argv.end(); };
  CHECK(has("5d307ca9-b3ef-428c-8861-06e72d69f223"));
  CHECK(has("type=1,serial=A1,,B2"));
  // The machine's id stays the VMI's.
  CHECK(has("console=ttyS0 quiet hostname=demo systemd.machine_id=0e4b039feaea4be48c9793f935dd51b6"));
}

TEST_CASE("without graphics there is neither a display nor VNC") {
  GuestSpec spec = guest();
  spec.graphics = false;
  for (const auto& argument : qemu_command(spec, host())) {
    CHECK_MESSAGE((argument.find("VGA") == std::string::npos && argument.find("vnc") == std::string::npos), argument);
  }
}

TEST_CASE("no name can add an option: commas are doubled") {
  GuestSpec spec = guest();
  spec.name = "demo,process=evil";
  const auto argv = qemu_command(spec, host());
  CHECK(std::find(argv.begin(), argv.end(), "guest=default/demo,,process=evil") != argv.end());
}

TEST_CASE("the guest's artefacts are found, and what is missing is named") {
  const test::TestDirectory directory;
  auto missing = guest_artefacts(directory.path());
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().object == directory / "vmlinux");
  std::ofstream(directory / "vmlinux") << "kernel";
  CHECK(guest_artefacts(directory.path()).error().object == directory / "initramfs.cpio.gz");
  std::ofstream(directory / "initramfs.cpio.gz") << "initramfs";
  CHECK(guest_artefacts(directory.path())->kernel_parameters == "console=ttyS0");
  std::ofstream(directory / "cmdline") << "console=ttyS0 quiet\n";
  CHECK(guest_artefacts(directory.path())->kernel_parameters == "console=ttyS0 quiet");
}
