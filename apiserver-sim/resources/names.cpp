#include "apiserver-sim/resources/names.h"

#include <algorithm>

namespace usbloop::apiserver {
namespace {

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

bool is_name_part(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

constexpr const char* kSubdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr const char* kNameRule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kLabelValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

void check_map(const nlohmann::json& metadata, const char* part, Causes& causes) {
  const auto found = metadata.find(part);
  if (found == metadata.end() || found->is_null()) return;
  const std::string field = std::string("metadata.") + part;
  if (!found->is_object()) {
    causes.push_back({"FieldValueTypeInvalid", "Invalid value: must be of type object", field});
    return;
  }
  for (const auto& [key, value] : found->items()) {
    if (!is_qualified_name(key)) {
      causes.push_back({"FieldValueInvalid", "Invalid value: \"" + key + "\": " + kNameRule, field});
    }
    if (!value.is_string()) {
      causes.push_back({"FieldValueTypeInvalid", "Invalid value: must be of type string", field + "." + key});
    } else if (std::string_view(part) == "labels" && !is_label_value(value.get<std::string>())) {
      causes.push_back({"FieldValueInvalid", "Invalid value: " + value.dump() + ": " + kLabelValueRule, field});
    }
  }
}

void check_finalizers(const nlohmann::json& metadata, Causes& causes) {
  const auto found = metadata.find("finalizers");
  if (found == metadata.end() || found->is_null()) return;
  const bool fine = found->is_array() && std::all_of(found->begin(), found->end(), [](const nlohmann::json& item) {
                      return item.is_string() && is_qualified_name(item.get<std::string>());
                    });
  if (!fine) causes.push_back({"FieldValueInvalid", "Invalid value: must be a list of names", "metadata.finalizers"});
}

void check_name(const nlohmann::json& metadata, Causes& causes) {
  const std::string name = text_at(metadata, "/name");
  const std::string prefix = text_at(metadata, "/generateName");
  if (name.empty() && prefix.empty()) {
    causes.push_back({"FieldValueRequired", "Required value: name or generateName is required", "metadata.name"});
  } else if (!name.empty() && !is_dns_subdomain(name)) {
    causes.push_back({"FieldValueInvalid", "Invalid value: " + nlohmann::json(name).dump() + ": " + kSubdomainRule,
                      "metadata.name"});
  }
}

}  // namespace

bool is_dns_label(std::string_view name) {
  return !name.empty() && name.size() <= 63 && is_lower_alnum(name.front()) && is_lower_alnum(name.back()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_lower_alnum(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view name) {
  if (name.size() > 253) return false;
  while (true) {
    const std::string_view label = name.substr(0, name.find('.'));
    const bool fine = !label.empty() && is_lower_alnum(label.front()) && is_lower_alnum(label.back()) &&
                      std::all_of(label.begin(), label.end(), [](char c) { return is_lower_alnum(c) || c == '-'; });
    if (!fine) return false;
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

bool is_qualified_name(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return is_name_part(name);
  return is_dns_subdomain(name.substr(0, slash)) && is_name_part(name.substr(slash + 1));
}

bool is_label_value(std::string_view value) { return value.empty() || is_name_part(value); }

Causes validate_metadata(const nlohmann::json& object, bool namespaced) {
  Causes causes;
  const auto found = object.find("metadata");
  if (found == object.end() || !found->is_object()) {
    causes.push_back({"FieldValueRequired", "Required value", "metadata"});
    return causes;
  }
  check_name(*found, causes);
  if (namespaced && !is_dns_label(text_at(*found, "/namespace"))) {
    causes.push_back({"FieldValueInvalid", "Invalid value: must be a lowercase RFC 1123 label", "metadata.namespace"});
  }
  check_map(*found, "labels", causes);
  check_map(*found, "annotations", causes);
  check_finalizers(*found, causes);
  return causes;
}

}  // namespace usbloop::apiserver
