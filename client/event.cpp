#include "client/event.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/shown_text.h"
#include "common/timestamp.h"

namespace usbloop::client {

namespace {

using Json = nlohmann::ordered_json;

/// RFC 3339 in UTC, with milliseconds.
std::string exact_time(std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03uZ", static_cast<unsigned>((since - seconds).count()) % 1000);
  std::string text = format_time(seconds.count());
  text.replace(text.size() - 1, 1, fraction);
  return text;
}

Json device_fields(const DeviceFacts& device) {
  Json json;
  json["name"] = shown_lines(device.name);
  json["id"] = device.id;
  json["product"] = usbredir::printable(device.product);
  json["serial"] = usbredir::printable(device.serial);
  json["emulated"] = device.emulated;
  if (device.emulated) return json;
  json["bus"] = device.bus;
  json["device"] = device.address;
  json["port"] = device.port;
  return json;
}

Json counter_fields(const Counters& counters) {
  Json json;
  json["sessions"] = counters.sessions;
  json["seconds"] = static_cast<double>(counters.redirected.count()) / 1000;
  json["transfers"] = counters.transfers;
  json["errors"] = counters.errors;
  json["bytesToGuest"] = counters.bytes_to_guest;
  json["bytesFromGuest"] = counters.bytes_from_guest;
  return json;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

const EventName& name_of(Happening what) { return kEvents.at(static_cast<std::size_t>(what)); }

std::string plain_lines(const Event& event, bool several) {
  if (!several || event.message.empty()) return event.message;
  const std::string name = one_line(event.device.name) + ": ";
  std::string text = name;
  for (const char letter : event.message) {
    text += letter;
    if (letter == '\n') text += name;
  }
  return text;
}

std::string json_line(const Event& event) {
  const auto& [what, name, reason] = name_of(event.what);
  Json json;
  json["time"] = exact_time(event.time);
  json["event"] = name;
  if (!reason.empty()) json["reason"] = reason;
  json["device"] = device_fields(event.device);
  json["vmi"] = {{"namespace", event.target.name_space}, {"name", event.target.name}};
  if (!event.message.empty()) json["message"] = shown_lines(event.message);
  if (is_end(what)) {
    json["exitStatus"] = event.exit_status;
    json["counters"] = counter_fields(event.counters);
  }
  return dump(json);
}

std::string json_error_line(const Error& error, int exit_status, std::chrono::system_clock::time_point time) {
  Json json;
  json["time"] = exact_time(time);
  json["event"] = "error";
  json["message"] = text_of(error);
  json["exitStatus"] = exit_status;
  return dump(json);
}

}  // namespace usbloop::client
