#include "e2e/harness/programs.h"

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace usbloop::e2e {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

bool on_path(const std::string& program) {
  std::istringstream dirs(environment("PATH"));
  std::string dir;
  while (std::getline(dirs, dir, ':')) {
    if (!dir.empty() && fs::exists(fs::path(dir) / program)) return true;
  }
  return false;
}

fs::path apiserver_sim() { return USBLOOP_APISERVER_SIM; }
fs::path launcher_sim() { return USBLOOP_LAUNCHER_SIM; }
fs::path device_sim() { return USBLOOP_DEVICE_SIM; }
fs::path kubectl_usbredir() { return USBLOOP_CLIENT; }

namespace {
fs::path cache_dir() {
  if (const auto cache = environment("USBLOOP_CACHE"); !cache.empty()) return cache;
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "usbloop";
  return fs::path(environment("HOME")) / ".cache/usbloop";
}
}  // namespace

fs::path guest_dir() {
  if (environment("USBLOOP_TEST_KERNEL") == "other") {
    const auto others = guests_of_other_releases();
    return others.empty() ? cache_dir() / "guests" : others.front();
  }
  return cache_dir() / "guest";
}

bool guests_are_cloned() { return environment("USBLOOP_TEST_START") != "boot"; }

std::vector<fs::path> guests_of_other_releases() {
  std::vector<fs::path> guests;
  std::error_code none;
  for (const auto& release : fs::directory_iterator(cache_dir() / "guests", none)) {
    if (fs::exists(release.path() / "guest/vmlinux")) guests.push_back(release.path() / "guest");
  }
  return guests;
}
fs::path templates_dir() { return cache_dir() / "templates"; }

std::optional<std::string> missing_for_guest() {
  if (!on_path("qemu-system-x86_64")) return "qemu-system-x86_64 is not on PATH (scripts/install-deps)";
  for (const char* file : {"vmlinux", "initramfs.cpio.gz", "cmdline"}) {
    if (!fs::exists(guest_dir() / file)) {
      return "no " + (guest_dir() / file).string() + " (scripts/build-guest, scripts/lib/fetch_guests)";
    }
  }
  return std::nullopt;
}

namespace {
bool& skipped() {
  static bool any = false;
  return any;
}
}  // namespace

void skip_case(const std::string& reason) {
  std::cout << "skipped: " << reason << std::endl;
  skipped() = true;
}

bool case_was_skipped() { return skipped(); }

}  // namespace usbloop::e2e
