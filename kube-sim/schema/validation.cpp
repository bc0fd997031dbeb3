#include "kube-sim/schema/validation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube-sim/schema/quantity.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Type = Schema::Type;

constexpr const char* kQuantityPattern =
    R"(^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$)";

std::string below(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

std::string element_of(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

const char* json_type(const json& value) {
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  return value.type_name();
}

const char* expected_type(Type type) {
  switch (type) {
    case Type::object:
    case Type::map: return "object";
    case Type::array: return "array";
    case Type::boolean: return "boolean";
    case Type::integer: return "integer";
    case Type::number: return "number";
    case Type::int_or_string:
    case Type::quantity: return "integer,string";
    default: return "string";
  }
}

bool has_type(Type type, const json& value) {
  switch (type) {
    case Type::object:
    case Type::map: return value.is_object();
    case Type::array: return value.is_array();
    case Type::boolean: return value.is_boolean();
    case Type::integer: return value.is_number_integer();
    case Type::number: return value.is_number();
    case Type::int_or_string:
    case Type::quantity: return value.is_number_integer() || value.is_string();
    default: return value.is_string();
  }
}

/// The value as it is quoted in a message.
std::string quoted(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

class Validator {
 public:
  std::vector<kube::StatusCause> causes;

  void check(const Schema& schema, const json& value, const std::string& path) {
    if (causes.size() >= kMaxFindings) return;
    if (!has_type(schema.type, value)) return wrong_type(schema.type, value, path);
    switch (schema.type) {
      case Type::object: return check_object(schema, value, path);
      case Type::map:
        for (const auto& [key, child] : value.items()) check_present(*schema.element, child, below(path, key));
        return;
      case Type::array:
        for (std::size_t i = 0; i < value.size(); ++i) check(*schema.element, value[i], element_of(path, i));
        return;
      case Type::string: return check_allowed(schema, value, path);
      case Type::integer: return check_minimum(schema, value, path);
      case Type::quantity: return check_quantity(value, path);
      default: return;
    }
  }

 private:
  void check_present(const Schema& schema, const json& value, const std::string& path) {
    if (!value.is_null()) check(schema, value, path);
  }

  void check_object(const Schema& schema, const json& object, const std::string& path) {
    for (const SchemaField& field : schema.fields) {
      const auto found = object.find(field.name);
      if (found != object.end() && !found->is_null()) {
        check(*field.schema, *found, below(path, field.name));
      } else if (field.required && !field.defaulted) {
        add("FieldValueRequired", "Required value", below(path, field.name));
      }
    }
  }

  void wrong_type(Type type, const json& value, const std::string& path) {
    const std::string found = std::string("\"") + json_type(value) + "\"";
    add("FieldValueTypeInvalid",
        "Invalid value: " + found + ": " + path + " in body must be of type " + expected_type(type) + ": " + found,
        path);
  }

  void check_allowed(const Schema& schema, const json& value, const std::string& path) {
    if (schema.allowed.empty()) return;
    const std::string text = value.get<std::string>();
    if (std::find(schema.allowed.begin(), schema.allowed.end(), text) != schema.allowed.end()) return;
    std::string list;
    for (const std::string& allowed : schema.allowed) list += (list.empty() ? "\"" : ", \"") + allowed + "\"";
    add("FieldValueNotSupported", "Unsupported value: " + quoted(value) + ": supported values: " + list, path);
  }

  void check_minimum(const Schema& schema, const json& value, const std::string& path) {
    // An unsigned number may be too large for the comparison, and is then large enough.
    if (!schema.minimum || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)) return;
    if (value.get<std::int64_t>() >= *schema.minimum) return;
    add("FieldValueInvalid",
        "Invalid value: " + value.dump() + ": " + path + " in body should be greater than or equal to " +
            std::to_string(*schema.minimum),
        path);
  }

  void check_quantity(const json& value, const std::string& path) {
    if (!value.is_string() || is_quantity(value.get<std::string>())) return;
    add("FieldValueInvalid",
        "Invalid value: " + quoted(value) + ": " + path + " in body should match '" + kQuantityPattern + "'", path);
  }

  void add(const char* reason, std::string message, std::string field) {
    causes.push_back({reason, std::move(message), std::move(field)});
  }
};

void list_unknown(const Schema& schema, const json& value, const std::string& path, std::vector<std::string>& found) {
  if (found.size() >= kMaxFindings) return;
  if (schema.type == Type::array && value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) list_unknown(*schema.element, value[i], element_of(path, i), found);
  } else if (schema.type == Type::map && value.is_object()) {
    for (const auto& [key, child] : value.items()) list_unknown(*schema.element, child, below(path, key), found);
  } else if (schema.type == Type::object && value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      const SchemaField* field = schema.field(key);
      if (field != nullptr) {
        list_unknown(*field->schema, child, below(path, key), found);
      } else if (!schema.open && found.size() < kMaxFindings) {
        found.push_back(below(path, key));
      }
    }
  }
}

}  // namespace

std::vector<kube::StatusCause> violations(const Schema& schema, const json& object) {
  Validator validator;
  validator.check(schema, object, "");
  return std::move(validator.causes);
}

std::vector<std::string> unknown_fields(const Schema& schema, const json& object) {
  std::vector<std::string> found;
  list_unknown(schema, object, "", found);
  return found;
}

void prune_unknown_fields(const Schema& schema, json& value) {
  if (schema.type == Type::object && value.is_object()) {
    for (auto at = value.begin(); at != value.end();) {
      const SchemaField* field = schema.field(at.key());
      if (field == nullptr && !schema.open) {
        at = value.erase(at);
        continue;
      }
      if (field != nullptr) prune_unknown_fields(*field->schema, at.value());
      ++at;
    }
  } else if ((schema.type == Type::array && value.is_array()) || (schema.type == Type::map && value.is_object())) {
    for (json& child : value) prune_unknown_fields(*schema.element, child);
  }
}

}  // namespace usbloop::apiserver
