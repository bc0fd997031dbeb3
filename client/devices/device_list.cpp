#include "client/devices/device_list.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "client/devices/usb_class.h"
#include "common/text_table.h"

namespace usbloop::client {

namespace {

using Row = std::vector<std::string>;

std::string printed(bool yes) { return yes ? "yes" : "no"; }

Row wide_row(const ListedDevice& listed) {
  const auto& device = listed.device;
  const std::string objection = listed.objection();
  return {device.bus_device(),
          device.id(),
          device.port_path(),
          to_string(device.speed),
          class_names(device.classes),
          listed.drivers.empty() ? "unknown" : listed.drivers,
          printed(listed.accessible),
          objection.empty() ? "yes" : "no: " + objection,
          device.serial.empty() ? "-" : usbredir::printable(device.serial),
          listed.name};
}

std::string wide_table(const std::vector<ListedDevice>& devices) {
  std::vector<Row> rows = {
      {"BUS-DEVICE", "ID", "PORT", "SPEED", "CLASS", "DRIVER", "ACCESS", "REDIRECT", "SERIAL", "NAME"}};
  for (const auto& listed : devices) rows.push_back(wide_row(listed));
  return text_table(rows);
}

/// As kubectl names fields. Strings are printable, so that no device breaks the text.
nlohmann::ordered_json fields(const ListedDevice& listed) {
  const auto& device = listed.device;
  nlohmann::ordered_json json;
  json["bus"] = device.place.bus;
  json["device"] = device.place.address;
  json["id"] = device.id();
  json["name"] = listed.name;
  json["manufacturer"] = device.manufacturer;
  json["product"] = device.product_name;
  json["serial"] = usbredir::printable(device.serial);
  json["port"] = device.port_path();
  json["speed"] = to_string(device.speed);
  json["classes"] = nlohmann::ordered_json::array();
  for (const auto& what : device.classes) {
    auto name = class_name(what);
    if (std::find(json["classes"].begin(), json["classes"].end(), name) == json["classes"].end()) {
      json["classes"].push_back(std::move(name));
    }
  }
  json["driver"] = listed.drivers;
  json["accessible"] = listed.accessible;
  json["worthRedirecting"] = listed.objection().empty();
  json["objection"] = listed.objection();
  return json;
}

void emit(YAML::Emitter& out, const nlohmann::ordered_json& value) {
  if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, field] : value.items()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, field);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << YAML::BeginSeq;
    for (const auto& item : value) emit(out, item);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    out << YAML::DoubleQuoted << value.get<std::string>();  // 0951:1666 is a number to some readers
  } else if (value.is_boolean()) {
    out << value.get<bool>();
  } else {
    out << value.get<int>();
  }
}

}  // namespace

std::string ListedDevice::objection() const {
  if (device.hub) return "a hub";
  if (device.emulated) return "";  // nobody types on it
  return std::any_of(device.classes.begin(), device.classes.end(), is_keyboard) ? "a keyboard" : "";
}

std::string device_name(const LocalDevice& device, const UsbIds& ids) {
  auto vendor = usbredir::printable(ids.vendor(device.vendor));
  auto product = usbredir::printable(ids.product(device.vendor, device.product));
  if (vendor.empty()) vendor = device.manufacturer;
  if (product.empty()) product = device.product_name;
  return vendor + (vendor.empty() || product.empty() ? "" : " ") + product;
}

std::vector<ListedDevice> look_at(const std::vector<LocalDevice>& devices) {
  std::set<UsbIds::Id> wanted;
  for (const auto& device : devices) wanted.emplace(device.vendor, device.product);
  const auto ids = UsbIds::of_system(wanted);
  std::vector<ListedDevice> listed;
  for (const auto& device : devices) {
    if (device.emulated) {
      listed.push_back({device, device.label.empty() ? device_name(device, ids) : device.label,
                        device.holder.empty() ? "none" : device.holder, true});
    } else {
      listed.push_back(
          {device, device_name(device, ids), platform::drivers(device.place), platform::accessible(device.place)});
    }
  }
  return listed;
}

std::string lsusb_line(const ListedDevice& listed) {
  char place[32];
  std::snprintf(place, sizeof place, "Bus %03u Device %03u: ID ", unsigned{listed.device.place.bus},
                unsigned{listed.device.place.address});
  return place + listed.device.id() + (listed.name.empty() ? "" : " " + listed.name);
}

std::string event_line(const ListedDevice& device, const std::string& event) {
  nlohmann::ordered_json line;
  line["event"] = event;
  line["device"] = fields(device);
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string render(const std::vector<ListedDevice>& devices, ListFormat format) {
  if (format == ListFormat::wide) return wide_table(devices);
  std::string text;
  if (format == ListFormat::lines) {
    for (const auto& listed : devices) text += lsusb_line(listed) + "\n";
    return text;
  }
  nlohmann::ordered_json all;
  all["devices"] = nlohmann::ordered_json::array();
  for (const auto& listed : devices) all["devices"].push_back(fields(listed));
  if (format == ListFormat::json) return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  YAML::Emitter out;
  emit(out, all);
  return std::string(out.c_str()) + "\n";
}

}  // namespace usbloop::client
