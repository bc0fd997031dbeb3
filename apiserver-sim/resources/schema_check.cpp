#include "apiserver-sim/resources/schema_check.h"

#include "apiserver-sim/resources/quantity.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const char* schema_type(const json& value) {
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  return value.type_name();
}

}  // namespace

const json* SchemaCheck::member(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string SchemaCheck::field(const char* name) const { return path_.empty() ? name : path_ + "." + name; }

void SchemaCheck::wrong_type(const char* name, const json& value, const char* expected) {
  const std::string where = field(name);
  const std::string quoted = std::string("\"") + schema_type(value) + "\"";
  causes_.push_back({"FieldValueTypeInvalid",
                     "Invalid value: " + quoted + ": " + where + " in body must be of type " + expected + ": " + quoted,
                     where});
}

const json* SchemaCheck::required_object(const char* name) {
  if (member(name) == nullptr) {
    causes_.push_back({"FieldValueRequired", "Required value", field(name)});
    return nullptr;
  }
  return optional_object(name);
}

const json* SchemaCheck::optional_object(const char* name) {
  const json* value = member(name);
  if (value == nullptr || value->is_object()) return value;
  wrong_type(name, *value, "object");
  return nullptr;
}

const json* SchemaCheck::optional_array(const char* name) {
  const json* value = member(name);
  if (value == nullptr || value->is_array()) return value;
  wrong_type(name, *value, "array");
  return nullptr;
}

void SchemaCheck::optional_string(const char* name) {
  const json* value = member(name);
  if (value != nullptr && !value->is_string()) wrong_type(name, *value, "string");
}

void SchemaCheck::optional_boolean(const char* name) {
  const json* value = member(name);
  if (value != nullptr && !value->is_boolean()) wrong_type(name, *value, "boolean");
}

void SchemaCheck::optional_positive(const char* name) {
  const json* value = member(name);
  if (value == nullptr) return;
  if (!value->is_number_integer()) {
    wrong_type(name, *value, "integer");
  } else if (value->is_number_unsigned() ? value->get<std::uint64_t>() < 1 || value->get<std::uint64_t>() > 1024
                                         : value->get<std::int64_t>() < 1) {
    const std::string where = field(name);
    causes_.push_back({"FieldValueInvalid", "Invalid value: " + value->dump() + ": must be between 1 and 1024", where});
  }
}

void SchemaCheck::optional_quantity(const char* name) {
  const json* value = member(name);
  if (value == nullptr || value->is_number()) return;
  if (!value->is_string()) {
    wrong_type(name, *value, "string");
  } else if (!is_quantity(value->get<std::string>())) {
    const std::string where = field(name);
    causes_.push_back({"FieldValueInvalid",
                       "Invalid value: " + value->dump() +
                           ": quantities must match the regular expression "
                           "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                       where});
  }
}

void SchemaCheck::optional_string_map(const char* name) {
  const json* map = optional_object(name);
  if (map == nullptr) return;
  SchemaCheck inside(*map, field(name), causes_);
  for (const auto& [key, value] : map->items()) inside.optional_string(key.c_str());
}

}  // namespace usbloop::apiserver
