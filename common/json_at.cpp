#include "common/json_at.h"

#include <nlohmann/json.hpp>

namespace usbloop {

using nlohmann::json;

const json* element_at(const json& object, const char* pointer) {
  const json::json_pointer path(pointer);
  return object.contains(path) ? &object.at(path) : nullptr;
}

const json& at(const json& object, const char* pointer) {
  static const json kNull;
  const json* found = element_at(object, pointer);
  return found == nullptr ? kNull : *found;
}

std::string text_at(const json& object, const char* pointer) {
  const json& value = at(object, pointer);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

json array_at(const json& object, const char* pointer) {
  const json& value = at(object, pointer);
  return value.is_array() ? value : json::array();
}

}  // namespace usbloop
