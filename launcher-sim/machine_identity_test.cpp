#include "launcher-sim/machine_identity.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "launcher-sim/node_agent.h"
#include "launcher-sim/test_directory.h"

using namespace usbloop::launcher;
using test::TestDirectory;

namespace {

void put(const std::string& root, const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
  std::ofstream(root + path) << text;
}

}  // namespace

TEST_CASE("a machine says which one it is in the files of its kernel, its firmware and its system") {
  const TestDirectory dir;
  const std::string root = dir.path();
  put(root, "/proc/sys/kernel/random/boot_id", "0b8b2a4e-1111-4222-8333-944444444444\n");
  put(root, "/etc/machine-id", "00112233445566778899aabbccddeeff\n");
  put(root, "/sys/class/dmi/id/product_uuid", "AABB0011-2233-4455-6677-8899AABBCCDD\n");
  put(root, "/etc/os-release", "NAME=\"Odd\"\nPRETTY_NAME=\"Odd \\\"OS\\\" 12\"\n");
  const MachineIdentity identity = read_machine_identity(root);
  CHECK(identity.boot_id == "0b8b2a4e-1111-4222-8333-944444444444");
  CHECK(identity.machine_id == "00112233445566778899aabbccddeeff");
  CHECK(identity.system_uuid == "AABB0011-2233-4455-6677-8899AABBCCDD");
  CHECK(identity.os_image == "Odd OS 12");
}

TEST_CASE("what a machine does not say is empty, and its id stands for the firmware's that only root may read") {
  const TestDirectory dir;
  const std::string root = dir.path();
  const MachineIdentity nothing = read_machine_identity(root);
  CHECK(nothing.boot_id.empty());
  CHECK(nothing.system_uuid.empty());
  CHECK(nothing.os_image == "Linux");
  put(root, "/var/lib/dbus/machine-id", "00112233445566778899aabbccddeeff\n");
  put(root, "/usr/lib/os-release", "PRETTY_NAME='Plain 1'\n");
  const MachineIdentity identity = read_machine_identity(root);
  CHECK(identity.machine_id == "00112233445566778899aabbccddeeff");
  CHECK(identity.system_uuid == identity.machine_id);
  CHECK(identity.os_image == "Plain 1");
  put(root, "/etc/os-release", "PRETTY_NAME=" + std::string(100'000, 'x'));
  put(root, "/proc/sys/kernel/random/boot_id", std::string(100'000, 'y'));
  CHECK(read_machine_identity(root).os_image.size() <= 256);
  CHECK(read_machine_identity(root).boot_id.size() <= 256);
}

TEST_CASE("a node's info has every field that the API says is required") {
  const auto info =
      node_object({.name = "n", .channel_path = "/c", .accelerator = "tcg"}, machine_facts())["status"]["nodeInfo"];
  for (const char* field : {"architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion",
                            "kubeletVersion", "machineID", "operatingSystem", "osImage", "systemUUID"}) {
    CAPTURE(field);
    REQUIRE(info.contains(field));
    CHECK(info[field].is_string());
  }
  CHECK(info["bootID"].get<std::string>().size() == 36);  // every Linux has one
}
