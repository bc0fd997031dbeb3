#include "launcher-sim/machine_identity.h"

#include <array>
#include <fstream>
#include <initializer_list>
#include <string_view>

namespace usbloop::launcher {
namespace {

constexpr std::size_t kLongest = 256;  // of what becomes a field of an object

/// The first line of a small file, without blanks and what is no printable ASCII; empty when there is none.
std::string first_line(const std::string& path) {
  std::array<char, kLongest> buffer{};
  std::ifstream file(path);
  file.read(buffer.data(), buffer.size());
  std::string line;
  for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(file.gcount()))) {
    if (c == '\n') break;
    if (c > ' ' && c < '\x7f') line += c;
  }
  return line;
}

std::string first_of(const std::string& root, std::initializer_list<const char*> paths) {
  for (const char* path : paths) {
    if (std::string line = first_line(root + path); !line.empty()) return line;
  }
  return {};
}

/// The value of `PRETTY_NAME="…"`; quotes and backslashes are taken off.
std::string pretty_name(const std::string& path) {
  constexpr std::string_view kKey = "PRETTY_NAME=";
  std::ifstream file(path);
  std::string line;
  for (int lines = 0; lines < 100 && std::getline(file, line); ++lines) {
    if (!line.starts_with(kKey)) continue;
    std::string name;
    for (const char c : line.substr(kKey.size(), kLongest)) {
      if (c >= ' ' && c < '\x7f' && c != '"' && c != '\'' && c != '\\') name += c;
    }
    return name;
  }
  return {};
}

}  // namespace

MachineIdentity read_machine_identity(const std::string& root) {
  MachineIdentity identity;
  identity.boot_id = first_line(root + "/proc/sys/kernel/random/boot_id");
  identity.machine_id = first_of(root, {"/etc/machine-id", "/var/lib/dbus/machine-id"});
  identity.system_uuid =
      first_of(root, {"/sys/class/dmi/id/product_uuid", "/proc/device-tree/system-id", "/proc/device-tree/vm,uuid"});
  if (identity.system_uuid.empty()) identity.system_uuid = identity.machine_id;
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    if (identity.os_image.empty()) identity.os_image = pretty_name(root + path);
  }
  if (identity.os_image.empty()) identity.os_image = "Linux";
  return identity;
}

}  // namespace usbloop::launcher
