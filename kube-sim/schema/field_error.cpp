#include "kube-sim/schema/field_error.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace usbloop::apiserver::field {
namespace {

using nlohmann::json;

std::string type_of(const json& value) {
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  return value.type_name();
}

}  // namespace

std::string shown(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string quoted(std::string_view text) { return shown(json(std::string(text))); }

kube::StatusCause required(std::string field, std::string_view detail) {
  std::string message = "Required value";
  if (!detail.empty()) message.append(": ").append(detail);
  return {"FieldValueRequired", std::move(message), std::move(field)};
}

kube::StatusCause invalid(std::string field, const json& value, std::string_view detail) {
  std::string message = "Invalid value: " + shown(value);
  if (!detail.empty()) message.append(": ").append(detail);
  return {"FieldValueInvalid", std::move(message), std::move(field)};
}

kube::StatusCause wrong_type(std::string field, const json& value, std::string_view expected) {
  const std::string type = field::quoted(type_of(value));
  std::string message = "Invalid value: " + type + ": " + field + " in body must be of type ";
  message.append(expected).append(": ").append(type);
  return {"FieldValueTypeInvalid", std::move(message), std::move(field)};
}

kube::StatusCause not_supported(std::string field, std::string_view shown,
                                const std::vector<std::string_view>& supported) {
  std::string message = "Unsupported value: ";
  message.append(shown).append(": supported values: ");
  for (std::size_t i = 0; i < supported.size(); ++i) {
    if (i > 0) message += ", ";
    message += field::quoted(supported[i]);
  }
  return {"FieldValueNotSupported", std::move(message), std::move(field)};
}

kube::StatusCause forbidden(std::string field, std::string_view detail) {
  return {"FieldValueForbidden", "Forbidden: " + std::string(detail), std::move(field)};
}

kube::StatusCause too_long(std::string field, std::size_t most_bytes) {
  return {"FieldValueTooLong", "Too long: may not be more than " + std::to_string(most_bytes) + " bytes",
          std::move(field)};
}

kube::StatusCause too_many(std::string field, std::size_t count, std::size_t most) {
  return {"FieldValueTooMany",
          "Too many: " + std::to_string(count) + ": must have at most " + std::to_string(most) + " items",
          std::move(field)};
}

}  // namespace usbloop::apiserver::field
