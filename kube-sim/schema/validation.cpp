#include "kube-sim/schema/validation.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "kube-sim/schema/constraints.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Type = Schema::Type;

std::string below(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

std::string element_of(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

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

class Validator {
 public:
  std::vector<kube::StatusCause> causes;
  std::vector<kube::StatusCause> broken_rules;  ///< asked for where nothing else keeps from it

  void check(const Schema& schema, const json& value, const std::string& path) {
    if (causes.size() >= kMaxFindings) return;
    if (!has_type(schema.type, value)) {
      causes.push_back(field::wrong_type(path, value, expected_type(schema.type)));
      return;
    }
    check_constraints(schema, value, path, causes);
    switch (schema.type) {
      case Type::object: return check_object(schema, value, path);
      case Type::map:
        for (const auto& [key, child] : value.items()) check_present(*schema.element, child, below(path, key));
        return;
      case Type::array:
        for (std::size_t i = 0; i < value.size(); ++i) {
          if (schema.null_items && value[i].is_null()) continue;
          check(*schema.element, value[i], element_of(path, i));
        }
        return;
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
        check_field(field, *found, below(path, field.name));
      } else if (field.required && !field.defaulted) {
        causes.push_back(field::required(below(path, field.name)));
      }
    }
  }

  void check_field(const SchemaField& field, const json& value, const std::string& path) {
    check(*field.schema, value, path);
    if (causes.size() >= kMaxFindings || !has_type(field.schema->type, value)) return;
    if (field.no_twins && value.is_array()) find_twins(field, value, path, causes);
    check_rules(field, value, path, broken_rules);
  }
};

/// What a value of the wrong type may hold: nothing that has a name.
const Schema& nothing() {
  static const Schema kNothing;
  return kNothing;
}

void list_unknown(const Schema& schema, const json& value, const std::string& path, std::vector<std::string>& found) {
  if (found.size() >= kMaxFindings) return;
  if (value.is_array()) {
    const Schema& element = schema.type == Type::array ? *schema.element : nothing();
    if (schema.open) return;
    for (std::size_t i = 0; i < value.size(); ++i) list_unknown(element, value[i], element_of(path, i), found);
  } else if (value.is_object() && schema.type == Type::map) {
    for (const auto& [key, child] : value.items()) list_unknown(*schema.element, child, below(path, key), found);
  } else if (value.is_object()) {
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
  auto causes = std::move(validator.causes);
  if (!keeps_from_rules(causes)) {
    std::move(validator.broken_rules.begin(), validator.broken_rules.end(), std::back_inserter(causes));
  }
  if (causes.size() > kMaxFindings) causes.resize(kMaxFindings);
  return causes;
}

std::vector<std::string> unknown_fields(const Schema& schema, const json& object) {
  std::vector<std::string> found;
  list_unknown(schema, object, "", found);
  return found;
}

void prune_unknown_fields(const Schema& schema, json& value) {
  if (value.is_array()) {
    if (schema.open) return;
    for (json& child : value) prune_unknown_fields(schema.type == Type::array ? *schema.element : nothing(), child);
  } else if (value.is_object() && schema.type == Type::map) {
    for (json& child : value) prune_unknown_fields(*schema.element, child);
  } else if (value.is_object()) {
    for (auto at = value.begin(); at != value.end();) {
      const SchemaField* field = schema.field(at.key());
      if (field == nullptr && !schema.open) {
        at = value.erase(at);
        continue;
      }
      if (field != nullptr) prune_unknown_fields(*field->schema, at.value());
      ++at;
    }
  }
}

}  // namespace usbloop::apiserver
