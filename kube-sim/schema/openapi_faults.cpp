#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "kube-sim/schema/field_error.h"
#include "kube-sim/schema/linear_regex.h"
#include "kube-sim/schema/openapi_schema.h"
#include "kube-sim/schema/validation.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 6> kTypes = {"array", "boolean", "integer", "number", "object", "string"};
/// Keywords with what their values have to be.
constexpr std::array<std::string_view, 8> kTexts = {
    "title", "description", "format", "pattern", "type", "id", "x-kubernetes-list-type", "x-kubernetes-map-type"};
constexpr std::array<std::string_view, 7> kSwitches = {"nullable",
                                                       "uniqueItems",
                                                       "exclusiveMinimum",
                                                       "exclusiveMaximum",
                                                       "x-kubernetes-preserve-unknown-fields",
                                                       "x-kubernetes-embedded-resource",
                                                       "x-kubernetes-int-or-string"};
constexpr std::array<std::string_view, 9> kNumbers = {"minimum",   "maximum",       "multipleOf",
                                                      "minLength", "maxLength",     "minItems",
                                                      "maxItems",  "minProperties", "maxProperties"};
constexpr std::array<std::string_view, 5> kLists = {"required", "enum", "allOf", "anyOf", "oneOf"};
constexpr std::array<std::string_view, 9> kOthers = {"properties",
                                                     "additionalProperties",
                                                     "items",
                                                     "not",
                                                     "default",
                                                     "example",
                                                     "externalDocs",
                                                     "x-kubernetes-list-map-keys",
                                                     "x-kubernetes-validations"};

template <typename List>
bool is_listed(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool is_true(const json& schema, const char* name) {
  const auto found = schema.find(name);
  return found != schema.end() && found->is_boolean() && found->get<bool>();
}

class SchemaCheck {
 public:
  std::vector<kube::StatusCause> causes;

  /// `within_logic`: below allOf, anyOf, oneOf or not, where a structural schema says nothing new.
  void check(const json& schema, const std::string& path, int depth, bool within_logic) {
    if (causes.size() >= kMaxFindings) return;
    if (!schema.is_object()) return add(field::wrong_type(path, schema, "object"));
    if (depth > kDeepestOpenApi) return add(field::forbidden(path, "the schema is nested too deeply"));
    if (++nodes_ > kMostOpenApiNodes) {
      if (nodes_ == kMostOpenApiNodes + 1) add(field::forbidden(path, "the schema has too many fields"));
      return;
    }
    const std::size_t before = causes.size();
    for (const auto& [name, value] : schema.items()) check_keyword(name, value, path);
    if (causes.size() > before) return;
    check_type(schema, path, within_logic);
    check_lists(schema, path);
    check_children(schema, path, depth, within_logic);
  }

 private:
  void add(kube::StatusCause cause) { causes.push_back(std::move(cause)); }

  void check_keyword(const std::string& name, const json& value, const std::string& path) {
    const std::string at = path + "." + name;
    if (is_listed(kTexts, name)) {
      if (!value.is_string()) add(field::wrong_type(at, value, "string"));
    } else if (is_listed(kSwitches, name)) {
      if (!value.is_boolean()) add(field::wrong_type(at, value, "boolean"));
    } else if (is_listed(kNumbers, name)) {
      if (!value.is_number()) add(field::wrong_type(at, value, "number"));
    } else if (is_listed(kLists, name) || name == "x-kubernetes-list-map-keys" || name == "x-kubernetes-validations") {
      if (!value.is_array()) add(field::wrong_type(at, value, "array"));
    } else if (name == "properties") {
      if (!value.is_object()) add(field::wrong_type(at, value, "object"));
    } else if (!is_listed(kOthers, name)) {
      add(field::forbidden(at, name + " is not supported"));
    }
  }

  void check_type(const json& schema, const std::string& path, bool within_logic) {
    const std::string type = schema.value("type", "");
    const bool either = is_true(schema, "x-kubernetes-int-or-string");
    if (!type.empty() && !is_listed(kTypes, type)) {
      add(field::not_supported(path + ".type", field::quoted(type), {kTypes.begin(), kTypes.end()}));
    } else if (!within_logic && type.empty() && !either && !is_true(schema, "x-kubernetes-preserve-unknown-fields")) {
      add(field::required(path + ".type", "must not be empty for specified object fields"));
    } else if (!within_logic && type == "array" && !schema.contains("items")) {
      add(field::required(path + ".items", "must be specified"));
    }
    if (const auto pattern = schema.find("pattern"); pattern != schema.end()) {
      const std::string text = pattern->get<std::string>();
      if (!LinearRegex::compile(text)) {
        add(field::invalid(path + ".pattern", *pattern, "must be a valid regular expression"));
      }
    }
    if (is_true(schema, "uniqueItems"))
      add(field::forbidden(path + ".uniqueItems",
                           "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
  }

  void check_lists(const json& schema, const std::string& path) {
    for (const char* name : {"required", "x-kubernetes-list-map-keys"}) {
      const auto list = schema.find(name);
      if (list == schema.end()) continue;
      for (const json& entry : *list) {
        if (!entry.is_string()) add(field::wrong_type(path + "." + name, entry, "string"));
      }
    }
    const std::string list_type = schema.value("x-kubernetes-list-type", "");
    if (!list_type.empty() && list_type != "atomic" && list_type != "set" && list_type != "map") {
      add(field::not_supported(path + ".x-kubernetes-list-type", field::quoted(list_type), {"atomic", "map", "set"}));
    }
    const auto keys = schema.find("x-kubernetes-list-map-keys");
    if (list_type == "map" && (keys == schema.end() || keys->empty())) {
      add(field::required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
    }
  }

  void check_children(const json& schema, const std::string& path, int depth, bool within_logic) {
    if (const auto properties = schema.find("properties"); properties != schema.end()) {
      for (const auto& [name, property] : properties->items()) {
        check(property, path + ".properties[" + name + "]", depth + 1, within_logic);
      }
    }
    if (const auto items = schema.find("items"); items != schema.end()) {
      check(*items, path + ".items", depth + 1, within_logic);
    }
    const auto more = schema.find("additionalProperties");
    if (more != schema.end() && !more->is_boolean()) {
      check(*more, path + ".additionalProperties", depth + 1, within_logic);
    }
    if (more != schema.end() && schema.contains("properties") && *more != false) {
      add(field::forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive"));
    }
    for (const char* name : {"allOf", "anyOf", "oneOf"}) {
      const auto list = schema.find(name);
      if (list == schema.end()) continue;
      for (std::size_t i = 0; i < list->size(); ++i) {
        check((*list)[i], path + "." + name + "[" + std::to_string(i) + "]", depth + 1, true);
      }
    }
    if (const auto inverse = schema.find("not"); inverse != schema.end())
      check(*inverse, path + ".not", depth + 1, true);
  }

  std::size_t nodes_ = 0;
};

}  // namespace

std::vector<kube::StatusCause> openapi_faults(const json& schema, const std::string& path) {
  SchemaCheck checked;
  checked.check(schema, path, 0, false);
  if (checked.causes.empty() && schema.value("type", "") != "object") {
    checked.causes.push_back(field::invalid(path + ".type", schema.value("type", ""), "must be object at the root"));
  }
  return std::move(checked.causes);
}

bool openapi_has_rules(const json& schema) {
  if (!schema.is_structured()) return false;
  if (schema.is_object() && schema.contains("x-kubernetes-validations")) return true;
  return std::any_of(schema.begin(), schema.end(), [](const json& child) { return openapi_has_rules(child); });
}

}  // namespace usbloop::apiserver
