#include "client/devices/device_watch.h"

#include <algorithm>
#include <chrono>
#include <ostream>

#include "common/shown_text.h"

namespace usbloop::client {

namespace {

/// Where nobody tells of changes, and for devices that go.
constexpr std::chrono::milliseconds kLookAgain{500};

bool same_place(const ListedDevice& one, const ListedDevice& other) {
  const auto& a = one.device;
  const auto& b = other.device;
  return a.place.bus == b.place.bus && a.place.address == b.place.address && a.port_path() == b.port_path() &&
         a.id() == b.id() && a.serial == b.serial && a.arrivals == b.arrivals;
}

bool has(const std::vector<ListedDevice>& devices, const ListedDevice& wanted) {
  return std::any_of(devices.begin(), devices.end(), [&](const auto& device) { return same_place(device, wanted); });
}

std::string change(const ListedDevice& device, bool came, ListFormat format) {
  if (format == ListFormat::lines) return (came ? "+ " : "- ") + lsusb_line(device) + "\n";
  return event_line(device, came ? "added" : "removed") + "\n";
}

}  // namespace

std::string changes(const std::vector<ListedDevice>& before, const std::vector<ListedDevice>& now, ListFormat format) {
  std::string text;
  for (const auto& device : before) {
    if (!has(now, device)) text += change(device, false, format);
  }
  for (const auto& device : now) {
    if (!has(before, device)) text += change(device, true, format);
  }
  return text;
}

Error watch_devices(DeviceSight& sight, ListFormat format, std::ostream& out) {
  std::vector<ListedDevice> known;
  bool is_first = true;
  while (true) {
    const auto devices = sight.look();
    if (!devices) return devices.error();
    auto now = look_at(*devices);
    const bool whole = is_first && format == ListFormat::lines;
    out << shown_lines(whole ? render(now, format) : changes(known, now, format)) << std::flush;
    if (!out) return {ErrorKind::unavailable, "print", "the devices", "nobody reads the output any more", ""};
    known = std::move(now);
    is_first = false;
    sight.wait(kLookAgain, {});
  }
}

Result<std::vector<LocalDevice>> LocalSight::look() {
  auto devices = UsbDevices::list();
  if (!devices) return tl::unexpected(devices.error());
  return devices->all();
}

void LocalSight::wait(std::chrono::milliseconds time, const std::stop_token& stop) { arrivals_.wait(time, stop); }

}  // namespace usbloop::client
