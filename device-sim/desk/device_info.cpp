#include "device-sim/desk/device_info.h"

#include <algorithm>
#include <utility>

#include "common/shown_text.h"

namespace usbloop::desk {

namespace {

using Json = nlohmann::ordered_json;

constexpr usbredir::Speed kSpeeds[] = {usbredir::Speed::low, usbredir::Speed::full, usbredir::Speed::high,
                                       usbredir::Speed::super};

Json fields_of(const Counters& counters) {
  Json fields;
  fields["redirections"] = counters.redirections;
  fields["resets"] = counters.resets;
  fields["requests"] = counters.requests;
  fields["in"] = counters.in;
  fields["out"] = counters.out;
  fields["bytesIn"] = counters.bytes_in;
  fields["bytesOut"] = counters.bytes_out;
  fields["failures"] = counters.failures;
  return fields;
}

Counters counters_from(const nlohmann::json& fields) {
  Counters counters;
  counters.redirections = fields.at("redirections").get<std::uint64_t>();
  counters.resets = fields.at("resets").get<std::uint64_t>();
  counters.requests = fields.at("requests").get<std::uint64_t>();
  counters.in = fields.at("in").get<std::uint64_t>();
  counters.out = fields.at("out").get<std::uint64_t>();
  counters.bytes_in = fields.at("bytesIn").get<std::uint64_t>();
  counters.bytes_out = fields.at("bytesOut").get<std::uint64_t>();
  counters.failures = fields.at("failures").get<std::uint64_t>();
  return counters;
}

DeviceInfo read_fields(const nlohmann::json& object) {
  DeviceInfo device;
  device.name = object.at("name").get<std::string>();
  device.kind = object.at("kind").get<std::string>();
  device.place.bus = object.at("bus").get<std::uint8_t>();
  device.place.address = object.at("device").get<std::uint8_t>();
  const auto port = object.at("port").get<std::string>();
  device.place.ports = port.substr(std::min(port.find('-') + 1, port.size()));
  auto& description = device.description;
  description.vendor_id = object.at("vendor").get<std::uint16_t>();
  description.product_id = object.at("productId").get<std::uint16_t>();
  const auto speed = object.at("speed").get<std::string>();
  for (const auto one : kSpeeds) {
    if (to_string(one) == speed) description.speed = one;
  }
  description.manufacturer = object.at("manufacturer").get<std::string>();
  description.product = object.at("product").get<std::string>();
  description.serial = object.at("serial").get<std::string>();
  description.kind = object.at("description").get<std::string>();
  device.label = object.at("label").get<std::string>();
  device.version = object.at("version").get<std::uint16_t>();
  device.device_class = object.at("deviceClass").get<ClassTriple>();
  device.interfaces = object.at("interfaces").get<std::vector<ClassTriple>>();
  device.plugged = object.at("plugged").get<bool>();
  device.arrivals = object.at("arrivals").get<std::uint64_t>();
  device.counters = counters_from(object.at("counters"));
  if (const auto& holder = object.at("holder"); !holder.is_null()) {
    device.holder = Holder{holder.at("name").get<std::string>(), holder.at("process").get<int>(),
                           holder.at("since").get<std::int64_t>()};
  }
  return device;
}

std::string lines_of(const std::vector<DeviceInfo>& devices, bool unplugged_too) {
  std::string text;
  for (const auto& device : devices) {
    if (device.plugged || unplugged_too) text += "\n  " + device.line();
  }
  return text;
}

}  // namespace

std::string Holder::text() const {
  constexpr std::size_t kLongest = 64;
  return one_line(name, kLongest) + " (process " + std::to_string(process) + ")";
}

std::string DeviceInfo::line() const {
  std::string text = name + "  " + place.bus_device() + "  " + description.id();
  const std::string maker = usbredir::printable(description.manufacturer);
  const std::string product = usbredir::printable(description.product);
  if (!maker.empty() || !product.empty()) {
    text += "  " + maker + (maker.empty() || product.empty() ? "" : " ") + product;
  }
  text += "  port=" + place.port_path();
  if (!description.serial.empty()) text += "  serial=" + usbredir::printable(description.serial);
  if (!plugged) text += "  (not plugged in)";
  return text;
}

bool DeviceInfo::matches(const usbredir::Selector& selector) const {
  if (const auto* at = std::get_if<usbredir::BusDevice>(&selector)) {
    return place.bus == at->bus && place.address == at->device;
  }
  if (const auto* port = std::get_if<usbredir::PortPath>(&selector)) return place.port_path() == port->path;
  if (const auto* serial = std::get_if<usbredir::SerialNumber>(&selector)) return description.serial == serial->serial;
  const auto& ids = std::get<usbredir::VendorProduct>(selector);
  return description.vendor_id == ids.vendor && description.product_id == ids.product;
}

Json to_json(const DeviceInfo& device) {
  Json fields;
  fields["name"] = device.name;
  fields["kind"] = device.kind;
  fields["bus"] = device.place.bus;
  fields["device"] = device.place.address;
  fields["port"] = device.place.port_path();
  fields["id"] = device.description.id();
  fields["vendor"] = device.description.vendor_id;
  fields["productId"] = device.description.product_id;
  fields["speed"] = to_string(device.description.speed);
  fields["manufacturer"] = device.description.manufacturer;
  fields["product"] = device.description.product;
  fields["serial"] = device.description.serial;
  fields["description"] = device.description.kind;
  fields["label"] = device.label;
  fields["version"] = device.version;
  fields["deviceClass"] = device.device_class;
  fields["interfaces"] = device.interfaces;
  fields["plugged"] = device.plugged;
  fields["arrivals"] = device.arrivals;
  fields["holder"] = nullptr;
  if (device.holder) {
    fields["holder"] = {
        {"name", device.holder->name}, {"process", device.holder->process}, {"since", device.holder->since}};
  }
  fields["counters"] = fields_of(device.counters);
  return fields;
}

Result<DeviceInfo> device_info_from(const nlohmann::json& object) {
  try {
    return read_fields(object);
  } catch (const nlohmann::json::exception& exception) {
    return make_error(ErrorKind::protocol, "understand", "the desk", exception.what(),
                      "Is it of another version? Start it anew.");
  }
}

Result<DeviceInfo> choose_on_desk(const std::vector<DeviceInfo>& devices, const std::string& text, bool unplugged_too) {
  for (const auto& device : devices) {
    if (device.name == text && (device.plugged || unplugged_too)) return device;
  }
  const auto selector = usbredir::parse_selector(text);
  std::vector<DeviceInfo> found;
  for (const auto& device : devices) {
    if (selector && (device.plugged || unplugged_too) && device.matches(*selector)) found.push_back(device);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return make_error(ErrorKind::conflict, "choose between devices", text,
                      std::to_string(found.size()) + " of them are on the desk",
                      "Name one by its BUS-DEVICE, its port or its serial number:" + lines_of(found, true));
  }
  const std::string all = lines_of(devices, unplugged_too);
  return make_error(ErrorKind::not_found, "find the device", one_line(text, 64),
                    unplugged_too ? "the desk has none such" : "the desk has none such plugged in",
                    all.empty() ? "No device of the desk is plugged in." : "The desk has:" + all);
}

}  // namespace usbloop::desk
