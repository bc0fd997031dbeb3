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
  Json fields;
  fields["name"] = shown_lines(device.name);
  fields["id"] = device.id;
  fields["product"] = usbredir::printable(device.product);
  fields["serial"] = usbredir::printable(device.serial);
  fields["emulated"] = device.emulated;
  if (device.bus == 0) return fields;  // it stands nowhere
  fields["bus"] = device.bus;
  fields["device"] = device.address;
  fields["port"] = device.port;
  return fields;
}

Json counter_fields(const Counters& counters) {
  Json fields;
  fields["sessions"] = counters.sessions;
  fields["seconds"] = static_cast<double>(counters.redirected.count()) / 1000;
  fields["transfers"] = counters.transfers;
  fields["errors"] = counters.errors;
  fields["bytesToGuest"] = counters.bytes_to_guest;
  fields["bytesFromGuest"] = counters.bytes_from_guest;
  return fields;
}

std::string dump(const Json& fields) { return fields.dump(-1, ' ', false, Json::error_handler_t::replace); }

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
  Json fields;
  fields["time"] = exact_time(event.time);
  fields["event"] = name;
  if (!reason.empty()) fields["reason"] = reason;
  fields["device"] = device_fields(event.device);
  fields["vmi"] = {{"namespace", event.target.name_space}, {"name", event.target.name}};
  if (!event.message.empty()) fields["message"] = shown_lines(event.message);
  if (is_end(what)) {
    fields["exitStatus"] = event.exit_status;
    fields["counters"] = counter_fields(event.counters);
  }
  return dump(fields);
}

std::string json_error_line(const Error& error, int exit_status, std::chrono::system_clock::time_point time) {
  Json fields;
  fields["time"] = exact_time(time);
  fields["event"] = "error";
  fields["message"] = text_of(error);
  fields["exitStatus"] = exit_status;
  return dump(fields);
}

}  // namespace usbloop::client
