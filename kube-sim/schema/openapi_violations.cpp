#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kube-sim/schema/field_error.h"
#include "kube-sim/schema/linear_regex.h"
#include "kube-sim/schema/openapi_schema.h"
#include "kube-sim/schema/validation.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

std::string step_below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

bool is_on(const json& schema, const char* name) {
  const auto found = schema.find(name);
  return found != schema.end() && *found == true;
}

bool fits_type(const std::string& type, const json& value) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "number") return value.is_number();
  if (type == "integer") {
    return value.is_number_integer() || (value.is_number_float() && std::floor(value.get<double>()) == value);
  }
  return true;
}

class ObjectCheck {
 public:
  std::vector<kube::StatusCause> causes;

  void check(const json& schema, const json& value, const std::string& path) {
    if (causes.size() >= kMaxFindings) return;
    if (value.is_null() && is_on(schema, "nullable")) return;
    const std::string type = schema.value("type", "");
    if (is_on(schema, "x-kubernetes-int-or-string")) {
      if (!value.is_number_integer() && !value.is_string())
        return add(field::wrong_type(path, value, "integer,string"));
    } else if (!fits_type(type, value)) {
      return add(field::wrong_type(path, value, type));
    }
    check_allowed(schema, value, path);
    if (value.is_number()) check_number(schema, value, path);
    if (value.is_string()) check_text(schema, value, path);
    if (value.is_array()) check_items(schema, value, path);
    if (value.is_object()) check_fields(schema, value, path);
    check_logic(schema, value, path);
  }

 private:
  void add(kube::StatusCause cause) { causes.push_back(std::move(cause)); }
  void refuse(const std::string& path, const json& value, const std::string& why) {
    add(field::invalid(path, value, path + " in body " + why));
  }

  void check_allowed(const json& schema, const json& value, const std::string& path) {
    const auto allowed = schema.find("enum");
    if (allowed == schema.end() || std::find(allowed->begin(), allowed->end(), value) != allowed->end()) return;
    std::vector<std::string> texts;
    for (const json& entry : *allowed) texts.push_back(entry.is_string() ? entry.get<std::string>() : entry.dump());
    add(field::not_supported(path, value.dump(), {texts.begin(), texts.end()}));
  }

  void check_number(const json& schema, const json& value, const std::string& path) {
    const double number = value.get<double>();
    if (const auto least = schema.find("minimum"); least != schema.end()) {
      const bool beyond = is_on(schema, "exclusiveMinimum");
      if (number < least->get<double>() || (beyond && number == least->get<double>())) {
        refuse(path, value,
               (beyond ? "should be greater than " : "should be greater than or equal to ") + least->dump());
      }
    }
    if (const auto most = schema.find("maximum"); most != schema.end()) {
      const bool below = is_on(schema, "exclusiveMaximum");
      if (number > most->get<double>() || (below && number == most->get<double>())) {
        refuse(path, value, (below ? "should be less than " : "should be less than or equal to ") + most->dump());
      }
    }
    const auto factor = schema.find("multipleOf");
    if (factor != schema.end() && factor->get<double>() > 0 && std::fmod(number, factor->get<double>()) != 0) {
      refuse(path, value, "should be a multiple of " + factor->dump());
    }
  }

  void check_text(const json& schema, const json& value, const std::string& path) {
    const auto& text = value.get_ref<const std::string&>();
    const std::size_t length = field::length_of(text);
    if (const auto least = schema.find("minLength"); least != schema.end() && static_cast<double>(length) < *least) {
      refuse(path, value, "should be at least " + least->dump() + " chars long");
    }
    if (const auto most = schema.find("maxLength"); most != schema.end() && static_cast<double>(length) > *most) {
      add(field::too_long(path, static_cast<std::size_t>(most->get<double>())));
    }
    if (const auto pattern = schema.find("pattern"); pattern != schema.end()) {
      const std::string wanted = pattern->get<std::string>();
      const auto regex = LinearRegex::compile(wanted);
      if (regex && !regex->finds(text)) refuse(path, value, "should match '" + wanted + "'");
    }
    const std::string format = schema.value("format", "");
    if (format == "date-time" && !LinearRegex::compile(kDateTime)->finds(text)) {
      refuse(path, value, "must be of type date-time: " + field::quoted(text));
    }
  }

  void check_items(const json& schema, const json& value, const std::string& path) {
    if (const auto least = schema.find("minItems");
        least != schema.end() && static_cast<double>(value.size()) < *least) {
      refuse(path, value.size(), "should have at least " + least->dump() + " items");
    }
    if (const auto most = schema.find("maxItems"); most != schema.end() && static_cast<double>(value.size()) > *most) {
      add({"FieldValueTooMany",
           "Too many: " + std::to_string(value.size()) + ": must have at most " + most->dump() + " items", path});
    }
    const auto items = schema.find("items");
    if (items == schema.end()) return;
    for (std::size_t i = 0; i < value.size(); ++i) check(*items, value[i], path + "[" + std::to_string(i) + "]");
  }

  void check_fields(const json& schema, const json& value, const std::string& path) {
    for (const json& name : schema.value("required", json::array())) {
      if (!value.contains(name.get_ref<const std::string&>())) add(field::required(step_below(path, name)));
    }
    if (const auto least = schema.find("minProperties");
        least != schema.end() && static_cast<double>(value.size()) < *least) {
      refuse(path, value.size(), "should have at least " + least->dump() + " properties");
    }
    if (const auto most = schema.find("maxProperties");
        most != schema.end() && static_cast<double>(value.size()) > *most) {
      add({"FieldValueTooMany",
           "Too many: " + std::to_string(value.size()) + ": must have at most " + most->dump() + " items", path});
    }
    const auto properties = schema.find("properties");
    const auto more = schema.find("additionalProperties");
    for (const auto& [name, child] : value.items()) {
      if (path.empty() && (name == "apiVersion" || name == "kind" || name == "metadata")) continue;
      if (properties != schema.end() && properties->contains(name)) {
        check(properties->at(name), child, step_below(path, name));
      } else if (more != schema.end() && more->is_object()) {
        check(*more, child, step_below(path, name));
      }
    }
  }

  [[nodiscard]] static bool is_fine(const json& schema, const json& value, const std::string& path) {
    ObjectCheck other;
    other.check(schema, value, path);
    return other.causes.empty();
  }

  void check_logic(const json& schema, const json& value, const std::string& path) {
    for (const json& part : schema.value("allOf", json::array())) check(part, value, path);
    const auto fitting = [&](const json& list) {
      return std::count_if(list.begin(), list.end(), [&](const json& part) { return is_fine(part, value, path); });
    };
    const auto shown = [&] { return value.is_structured() ? json("") : value; };
    if (const auto any = schema.find("anyOf"); any != schema.end() && fitting(*any) == 0) {
      refuse(path, shown(), "must validate at least one schema (anyOf)");
    }
    if (const auto one = schema.find("oneOf"); one != schema.end() && fitting(*one) != 1) {
      refuse(path, shown(), "must validate one and only one schema (oneOf)");
    }
    if (const auto inverse = schema.find("not"); inverse != schema.end() && is_fine(*inverse, value, path)) {
      refuse(path, shown(), "must not validate the schema (not)");
    }
  }

  static constexpr const char* kDateTime =
      "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";
};

}  // namespace

std::vector<kube::StatusCause> openapi_violations(const json& schema, const json& object) {
  ObjectCheck checked;
  checked.check(schema, object, "");
  return std::move(checked.causes);
}

}  // namespace usbloop::apiserver
