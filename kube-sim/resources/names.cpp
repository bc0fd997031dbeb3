#include "kube-sim/resources/names.h"

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
constexpr const char* kLabelRule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr const char* kNameRule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kLabelValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

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

std::string path_segment_fault(std::string_view name) {
  if (name == "." || name == "..") return "may not be '" + std::string(name) + "'";
  for (const char c : {'/', '%'}) {
    if (name.find(c) != std::string_view::npos) return std::string("may not contain '") + c + "'";
  }
  return {};
}

std::vector<std::string> dns_label_faults(std::string_view name) {
  if (name.size() > 63) return {"must be no more than 63 bytes"};
  if (!is_dns_label(name)) return {kLabelRule};
  return {};
}

std::vector<std::string> dns_subdomain_faults(std::string_view name) {
  if (name.size() > 253) return {"must be no more than 253 bytes"};
  if (!is_dns_subdomain(name)) return {kSubdomainRule};
  return {};
}

std::vector<std::string> qualified_name_faults(std::string_view name) {
  const auto slash = name.find('/');
  if (slash != name.rfind('/')) {
    return {std::string(kNameRule).replace(0, std::string_view("name part").size(), "a qualified name") +
            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
  }
  std::vector<std::string> faults;
  if (slash != std::string_view::npos) {
    if (slash == 0) faults.emplace_back("prefix part must be non-empty");
    for (const std::string& fault :
         slash == 0 ? std::vector<std::string>() : dns_subdomain_faults(name.substr(0, slash))) {
      faults.push_back("prefix part " + fault);
    }
    name.remove_prefix(slash + 1);
  }
  if (name.empty()) faults.emplace_back("name part must be non-empty");
  if (name.size() > 63) faults.emplace_back("name part must be no more than 63 bytes");
  if (!name.empty() && name.size() <= 63 && !is_name_part(name)) faults.emplace_back(kNameRule);
  if (name.empty()) faults.emplace_back(kNameRule);
  return faults;
}

std::vector<std::string> label_value_faults(std::string_view value) {
  if (value.size() > 63) return {"must be no more than 63 bytes"};
  if (!is_label_value(value)) return {kLabelValueRule};
  return {};
}

}  // namespace usbloop::apiserver
