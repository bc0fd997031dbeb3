#include "common/kube/event_lines.h"

#include <nlohmann/json.hpp>

#include "common/json_text.h"

namespace usbloop::kube {

using nlohmann::json;

bool EventLines::feed(std::string_view bytes, const std::function<bool(const json&)>& on_event) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    if (partial_.size() + piece.size() > max_bytes_) {
      error_ = "an event of more than " + std::to_string(max_bytes_) + " bytes";
      return false;
    }
    if (end == std::string_view::npos) {
      partial_ += piece;
      return true;
    }
    bytes.remove_prefix(end + 1);
    bool more = false;
    if (partial_.empty()) {
      more = take_line(piece, on_event);
    } else {
      partial_ += piece;
      const std::string line = std::exchange(partial_, {});
      more = take_line(line, on_event);
    }
    if (!more) return false;
  }
  return true;
}

bool EventLines::take_line(std::string_view line, const std::function<bool(const json&)>& on_event) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
  const json event = parse_json_object(line).value_or(json::object());
  const auto type = event.find("type");
  const auto object = event.find("object");
  if (type == event.end() || !type->is_string() || object == event.end() || !object->is_object()) {
    error_ = "a line that is no watch event";
    return false;
  }
  if (*type != "ERROR") return on_event(event);
  const auto code = object->find("code");
  expired_ = code != object->end() && *code == 410;
  if (!expired_) {
    const auto message = object->find("message");
    error_ = message != object->end() && message->is_string() ? message->get<std::string>() : "an ERROR event";
  }
  return false;
}

}  // namespace usbloop::kube
