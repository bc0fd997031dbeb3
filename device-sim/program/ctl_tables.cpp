#include "device-sim/program/ctl_tables.h"

#include <utility>

#include "common/text_table.h"

namespace usbloop::device_sim {
namespace {

using desk::DeviceInfo;
using Row = std::vector<std::string>;

std::string state_of(const DeviceInfo& device) {
  if (device.holder) return "with " + device.holder->text();
  return device.plugged ? "plugged in" : "unplugged";
}

}  // namespace

std::string devices_table(const std::vector<DeviceInfo>& devices) {
  std::vector<Row> rows = {{"NAME", "KIND", "BUS-DEVICE", "ID", "PORT", "SPEED", "SERIAL", "STATE"}};
  for (const auto& device : devices) {
    const auto& serial = device.description.serial;
    rows.push_back({device.name, device.kind, device.place.bus_device(), device.description.id(),
                    device.place.port_path(), to_string(device.description.speed),
                    serial.empty() ? "-" : usbredir::printable(serial), state_of(device)});
  }
  return text_table(rows);
}

std::string counters_table(const std::vector<DeviceInfo>& devices) {
  std::vector<Row> rows = {
      {"NAME", "REDIRECTIONS", "RESETS", "REQUESTS", "IN", "BYTES-IN", "OUT", "BYTES-OUT", "FAILURES"}};
  for (const auto& device : devices) {
    const auto& counters = device.counters;
    Row row = {device.name};
    for (const auto count : {counters.redirections, counters.resets, counters.requests, counters.in, counters.bytes_in,
                             counters.out, counters.bytes_out, counters.failures}) {
      row.push_back(std::to_string(count));
    }
    rows.push_back(std::move(row));
  }
  return text_table(rows);
}

std::string devices_json(const std::vector<DeviceInfo>& devices) {
  nlohmann::ordered_json all;
  all["devices"] = nlohmann::ordered_json::array();
  for (const auto& device : devices) all["devices"].push_back(to_json(device));
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace usbloop::device_sim
