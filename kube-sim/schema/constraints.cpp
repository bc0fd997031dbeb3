#include "kube-sim/schema/constraints.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "kube-sim/schema/field_error.h"
#include "kube-sim/schema/linear_regex.h"
#include "kube-sim/schema/quantity.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using FoundCauses = std::vector<kube::StatusCause>;

kube::StatusCause out_of_bounds(const json& value, const std::string& path, const std::string& why) {
  return field::invalid(path, value, path + " in body " + why);
}

/// Whether an integer is less than a bound. An unsigned one may be too large for the comparison, and is not.
bool is_less(const json& value, std::int64_t bound) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return false;
  return value.get<std::int64_t>() < bound;
}

bool is_greater(const json& value, std::int64_t bound) { return !is_less(value, bound) && value != bound; }

void check_number(const Schema& schema, const json& value, const std::string& path, FoundCauses& causes) {
  using Int32 = std::numeric_limits<std::int32_t>;
  const auto least = schema.natural ? std::optional<std::int64_t>(0) : schema.minimum;
  if (least && is_less(value, *least)) {
    causes.push_back(out_of_bounds(value, path, "should be greater than or equal to " + std::to_string(*least)));
  }
  if (schema.maximum && is_greater(value, *schema.maximum)) {
    causes.push_back(out_of_bounds(value, path, "should be less than or equal to " + std::to_string(*schema.maximum)));
  }
  if (schema.format == "int32" && (is_less(value, Int32::min()) || is_greater(value, Int32::max()))) {
    causes.push_back(field::invalid("<nil>", "", "Checked value must be of type integer with format int32 in " + path));
  }
}

void check_text(const Schema& schema, const json& value, const std::string& path, FoundCauses& causes) {
  const auto& text = value.get_ref<const std::string&>();
  if (!schema.allowed.empty() &&
      std::find(schema.allowed.begin(), schema.allowed.end(), text) == schema.allowed.end()) {
    causes.push_back(field::not_supported(path, field::quoted(text), {schema.allowed.begin(), schema.allowed.end()}));
  }
  if (schema.most && field::length_of(text) > *schema.most) causes.push_back(field::too_long(path, *schema.most));
  if (schema.pattern.empty()) return;
  const auto regex = LinearRegex::compile(schema.pattern);
  if (regex && !regex->finds(text)) {
    causes.push_back(out_of_bounds(value, path, "should match '" + schema.pattern + "'"));
  }
}

/// What tells an item of a list from the others; null when nothing does.
json identity_of(const SchemaField& field, const json& item) {
  if (field.merge == "set") return item;
  if (!item.is_object()) return nullptr;
  json keys = json::object();
  for (std::size_t at = 0; at < field.merge.size();) {
    const std::size_t comma = std::min(field.merge.find(',', at), field.merge.size());
    const std::string key = field.merge.substr(at, comma - at);
    if (const auto found = item.find(key); found != item.end()) keys[key] = *found;
    at = comma + 1;
  }
  return keys;
}

bool breaks(const SchemaRule& rule, const json& value) {
  using Form = SchemaRule::Form;
  if (rule.form == Form::is_true) return value.is_boolean() && value == false;
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return rule.form == Form::begins_with ? !text.starts_with(rule.text) : text.find(rule.text) != std::string::npos;
}

}  // namespace

void check_constraints(const Schema& schema, const json& value, const std::string& path, FoundCauses& causes) {
  switch (schema.type) {
    case Schema::Type::integer: return check_number(schema, value, path, causes);
    case Schema::Type::string: return check_text(schema, value, path, causes);
    case Schema::Type::quantity:
      if (value.is_string() && !is_quantity(value.get<std::string>())) {
        causes.push_back(out_of_bounds(value, path, std::string("should match '") + kQuantityPattern + "'"));
      }
      return;
    case Schema::Type::array:
      if (schema.most && value.size() > *schema.most)
        causes.push_back(field::too_many(path, value.size(), *schema.most));
      return;
    default: return;
  }
}

void find_twins(const SchemaField& field, const json& list, const std::string& path, FoundCauses& causes) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json identity = identity_of(field, list[i]);
    if (identity.is_null()) continue;
    const std::string text = field::shown(identity);
    if (!seen.insert(text).second) {
      causes.push_back({"FieldValueDuplicate", "Duplicate value: " + text, path + "[" + std::to_string(i) + "]"});
    }
  }
}

void check_rules(const SchemaField& field, const json& value, const std::string& path, FoundCauses& causes) {
  for (const SchemaRule& rule : field.rules) {
    if (breaks(rule, value)) causes.push_back(field::invalid(path, value, rule.message));
  }
}

bool has_rules(const Schema& schema) {
  if (schema.element != nullptr && has_rules(*schema.element)) return true;
  return std::any_of(schema.fields.begin(), schema.fields.end(),
                     [](const SchemaField& field) { return !field.rules.empty() || has_rules(*field.schema); });
}

bool keeps_from_rules(const FoundCauses& causes) {
  static const std::set<std::string> kKinds = {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong",
                                               "FieldValueTooMany", "FieldValueTypeInvalid"};
  return std::any_of(causes.begin(), causes.end(), [](const auto& cause) { return kKinds.contains(cause.reason); });
}

kube::StatusCause rules_not_checked() {
  return field::invalid("<nil>", nullptr,
                        "some validation rules were not checked because the object was invalid; correct the existing "
                        "errors to complete validation");
}

}  // namespace usbloop::apiserver
