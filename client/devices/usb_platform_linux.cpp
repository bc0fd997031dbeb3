#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include "client/devices/usb_platform.h"

namespace usbloop::client::platform {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSysfs = "/sys/bus/usb/devices";
constexpr std::size_t kMaxAttribute = 512;

/// "1-1.4" as sysfs names the device; "usb1" for a root hub.
std::string sysfs_name(const Place& place) {
  const std::string bus = std::to_string(place.bus);
  return place.ports.empty() ? "usb" + bus : bus + "-" + place.ports;
}

fs::path sysfs_path(const Place& place) { return fs::path(kSysfs) / sysfs_name(place); }

}  // namespace

std::string device_node(const Place& place) {
  char text[32];
  std::snprintf(text, sizeof text, "/dev/bus/usb/%03u/%03u", unsigned{place.bus}, unsigned{place.address});
  return text;
}

std::string attribute(const Place& place, const std::string& name) {
  std::ifstream stream(sysfs_path(place) / name);
  std::string line;
  std::getline(stream, line);
  if (line.size() > kMaxAttribute) line.resize(kMaxAttribute);
  return line;
}

std::string drivers(const Place& place) {
  std::error_code code;
  const std::string name = sysfs_name(place);
  std::vector<std::string> found;
  bool known = false;
  for (const auto& entry : fs::directory_iterator(kSysfs, code)) {
    const std::string interface = entry.path().filename().string();
    if (interface == name) known = true;
    if (!interface.starts_with(name + ":")) continue;
    const auto target = fs::read_symlink(entry.path() / "driver", code);
    if (!code) found.push_back(target.filename().string());
  }
  if (found.empty()) return known ? "none" : "";
  std::string text;
  for (const auto& driver : found) {
    if (("," + text + ",").find("," + driver + ",") == std::string::npos) text += (text.empty() ? "" : ",") + driver;
  }
  return text;
}

bool accessible(const Place& place) { return ::access(device_node(place).c_str(), R_OK | W_OK) == 0; }

bool has_usb() {
  std::error_code code;
  return fs::exists(kSysfs, code) || fs::exists("/dev/bus/usb", code);
}

std::string permission_hint(const Place& place, const std::string& vendor_id, const std::string& product_id) {
  return "Use sudo, or let ordinary users in with a udev rule, for example in /etc/udev/rules.d/70-usbredir.rules:\n"
         "  SUBSYSTEM==\"usb\", ATTR{idVendor}==\"" +
         vendor_id + "\", ATTR{idProduct}==\"" + product_id +
         "\", MODE=\"0660\", TAG+=\"uaccess\"\n"
         "then: sudo udevadm control --reload && sudo udevadm trigger, and check " +
         device_node(place) + ".";
}

}  // namespace usbloop::client::platform
