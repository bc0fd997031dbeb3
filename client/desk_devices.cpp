#include "client/desk_devices.h"

#include <utility>

#include "common/shown_text.h"
#include "common/stop_wait.h"

namespace usbloop::client {

namespace {

InterfaceClass class_of(const desk::ClassTriple& triple) { return {triple[0], triple[1], triple[2]}; }

LocalDevice as_local(const desk::DeviceInfo& info) {
  constexpr std::uint8_t kPerInterface = 0x00, kMiscellaneous = 0xef;
  LocalDevice device;
  device.place = {info.place.bus, info.place.address, info.place.ports};
  device.vendor = info.description.vendor_id;
  device.product = info.description.product_id;
  device.speed = info.description.speed;
  device.manufacturer = usbredir::printable(info.description.manufacturer);
  device.product_name = usbredir::printable(info.description.product);
  device.serial = info.description.serial;
  device.version = info.version;
  device.device_class = class_of(info.device_class);
  for (const auto& triple : info.interfaces) device.interfaces.push_back(class_of(triple));
  const bool is_of_interfaces =
      device.device_class.number == kPerInterface || device.device_class.number == kMiscellaneous;
  device.classes = is_of_interfaces ? device.interfaces : std::vector<InterfaceClass>{device.device_class};
  device.emulated = true;
  device.desk_name = info.name;
  device.label = one_line(info.label);
  if (info.holder) device.holder = info.holder->text();
  device.arrivals = info.arrivals;
  return device;
}

}  // namespace

Result<std::vector<LocalDevice>> DeskSight::look() {
  auto client = desk::DeskClient::connect(desk_);
  if (!client) return tl::unexpected(client.error());
  const auto infos = client->list();
  if (!infos) return tl::unexpected(infos.error());
  std::vector<LocalDevice> devices;
  for (const auto& info : *infos) {
    if (info.plugged) devices.push_back(as_local(info));
  }
  return devices;
}

void DeskSight::wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  using std::chrono::milliseconds;
  if (!watch_) {
    auto client = desk::DeskClient::connect(desk_);
    if (client && client->watch()) watch_ = std::move(*client);
    // The first time there may have been a change since the look before: that is found by the next one.
    if (!watch_) static_cast<void>(wait_unless_stopped(stop, time));
    return;
  }
  auto line = watch_->next_line(milliseconds(0));
  if (line && !*line) {
    watch_->wait_readable(time, stop);
    line = watch_->next_line(milliseconds(0));
  }
  while (line && *line) line = watch_->next_line(milliseconds(0));  // only the newest look counts
  if (!line) watch_.reset();
}

std::unique_ptr<DeviceSight> sight_of(const std::string& desk) {
  if (desk.empty()) return std::make_unique<LocalSight>();
  return std::make_unique<DeskSight>(desk);
}

Result<std::vector<LocalDevice>> devices_of(const std::string& desk) {
  if (!desk.empty()) return DeskSight(desk).look();
  auto devices = UsbDevices::list();
  if (!devices) return tl::unexpected(devices.error());
  return devices->all();
}

}  // namespace usbloop::client
