#include "kube-sim/resources/cell.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/timestamp.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Values = std::vector<const json*>;
using Arguments = std::vector<Values>;

constexpr const char* kNone = "<none>";

std::string or_none(std::string text) { return text.empty() ? kNone : std::move(text); }

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string list_of(const Values& values) {
  std::string text;
  for (const json* value : values) text += (text.empty() ? "" : ",") + text_of(*value);
  return text;
}

json age(const Arguments& arguments, std::int64_t now) {
  const Values& values = arguments.front();
  return age_of(values.empty() || !values.front()->is_string() ? std::string() : values.front()->get<std::string>(),
                now);
}

/// The number of entries of all arguments together.
json count(const Arguments& arguments, std::int64_t) {
  std::size_t sum = 0;
  for (const Values& values : arguments) {
    for (const json* value : values) sum += value->is_structured() ? value->size() : 0;
  }
  return sum;
}

/// "1/3"; absent numbers are 0.
json ratio(const Arguments& arguments, std::int64_t) {
  std::string text;
  for (const Values& values : arguments) {
    text += (text.empty() ? "" : "/") + (values.empty() ? std::string("0") : text_of(*values.front()));
  }
  return text;
}

json listed(const Arguments& arguments, std::int64_t) { return list_of(arguments.front()); }

json listed_or_none(const Arguments& arguments, std::int64_t) { return or_none(list_of(arguments.front())); }

json selector_cell(const Arguments& arguments, std::int64_t) {
  return arguments.front().empty() ? json(kNone) : json(selector_text(*arguments.front().front()));
}

/// A map of labels: "a=b,c=d".
json labels_cell(const Arguments& arguments, std::int64_t) {
  if (arguments.front().empty()) return kNone;
  return selector_text(json{{"matchLabels", *arguments.front().front()}});
}

/// "80/TCP,443:30443/TCP"
json ports_cell(const Arguments& arguments, std::int64_t) {
  std::string text;
  for (const json* port : arguments.front()) {
    if (!port->is_object()) continue;
    const json* number = element_at(*port, "/port");
    const json* node_port = element_at(*port, "/nodePort");
    const std::string protocol = text_at(*port, "/protocol");
    text += (text.empty() ? "" : ",") + (number == nullptr ? std::string("0") : number->dump());
    if (node_port != nullptr && node_port->is_number_integer() && *node_port > 0) text += ":" + node_port->dump();
    text += "/" + (protocol.empty() ? "TCP" : protocol);
  }
  return or_none(text);
}

/// "RWO,ROX"
json access_modes_cell(const Arguments& arguments, std::int64_t) {
  static const std::map<std::string, std::string> kShort = {
      {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  std::string text;
  for (const json* mode : arguments.front()) {
    const auto known = kShort.find(text_of(*mode));
    if (known != kShort.end()) text += (text.empty() ? "" : ",") + known->second;
  }
  return text;
}

/// Of a CertificateSigningRequest: "Approved,Issued".
json csr_condition_cell(const Arguments& arguments, std::int64_t) {
  std::string text;
  for (const json* type : arguments.front()) {
    if (*type == "Approved" || *type == "Denied" || *type == "Failed")
      text += (text.empty() ? "" : ",") + text_of(*type);
  }
  if (text.empty()) return "Pending";
  const bool issued = arguments.size() > 1 && !arguments[1].empty();
  return issued ? text + ",Issued" : text;
}

/// Seconds as a duration.
json duration_cell(const Arguments& arguments, std::int64_t) {
  if (arguments.front().empty()) return kNone;
  return human_duration(int64_of(*arguments.front().front(), 0));
}

/// Of an APIService: "Local", or the service that answers.
json service_cell(const Arguments& arguments, std::int64_t) {
  if (arguments.front().empty()) return "Local";
  const json& service = *arguments.front().front();
  return text_at(service, "/namespace") + "/" + text_at(service, "/name");
}

/// Of a Service, from its spec and its status.
json external_ip_cell(const Arguments& arguments, std::int64_t) {
  if (arguments.front().empty()) return kNone;
  const json& spec = *arguments.front().front();
  const std::string type = text_at(spec, "/type");
  if (type == "ExternalName") return text_at(spec, "/externalName");
  std::string text;
  if (const json* own = element_at(spec, "/externalIPs"); own != nullptr && own->is_array()) {
    for (const json& address : *own) text += (text.empty() ? "" : ",") + text_of(address);
  }
  const bool waits = type == "LoadBalancer" && text.empty();
  return waits ? json("<pending>") : json(or_none(text));
}

CellFormula::Function function_named(const std::string& name) {
  static const std::map<std::string, CellFormula::Function> kFunctions = {{"age", age},
                                                                          {"count", count},
                                                                          {"csr-condition", csr_condition_cell},
                                                                          {"duration", duration_cell},
                                                                          {"external-ip", external_ip_cell},
                                                                          {"labels", labels_cell},
                                                                          {"list", listed},
                                                                          {"list-or-none", listed_or_none},
                                                                          {"modes", access_modes_cell},
                                                                          {"ports", ports_cell},
                                                                          {"ratio", ratio},
                                                                          {"selector", selector_cell},
                                                                          {"service", service_cell}};
  const auto found = kFunctions.find(name);
  if (found == kFunctions.end()) throw std::logic_error("resources/schemas: no function " + name + " for a column");
  return found->second;
}

FieldPath path_named(const std::string& text) {
  auto path = FieldPath::parse(text);
  if (!path || text.empty()) throw std::logic_error("resources/schemas: no path of a column: " + text);
  return std::move(*path);
}

std::string requirement_text(const json& requirement) {
  const std::string key = text_at(requirement, "/key");
  const std::string operation = text_at(requirement, "/operator");
  if (operation == "Exists") return key;
  if (operation == "DoesNotExist") return "!" + key;
  std::string values;
  for (const json& value : requirement.value("values", json::array())) {
    values += (values.empty() ? "" : ",") + text_of(value);
  }
  return key + (operation == "In" ? " in (" : " notin (") + values + ")";
}

}  // namespace

std::string selector_text(const json& selector) {
  std::string text;
  if (const json* labels = element_at(selector, "/matchLabels"); labels != nullptr && labels->is_object()) {
    for (const auto& [key, value] : labels->items()) text += (text.empty() ? "" : ",") + key + "=" + text_of(value);
  }
  if (const json* more = element_at(selector, "/matchExpressions"); more != nullptr && more->is_array()) {
    for (const json& requirement : *more) {
      if (requirement.is_object()) text += (text.empty() ? "" : ",") + requirement_text(requirement);
    }
  }
  return or_none(text);
}

CellFormula::CellFormula(const std::string& text) {
  if (text.empty()) return;
  const auto open = text.find('(');
  if (open == std::string::npos || text.starts_with('.')) {
    const auto bar = text.find('|');
    paths_.push_back(path_named(text.substr(0, bar)));
    if (bar != std::string::npos) absent_ = text.substr(bar + 1);
    if (absent_ == "null") absent_ = nullptr;
    absent_text_ = absent_.dump();
    return;
  }
  function_ = function_named(text.substr(0, open));
  std::string rest = text.substr(open + 1, text.size() - open - 2);
  while (!rest.empty()) {
    const std::string path = rest.substr(0, rest.find(','));
    rest.erase(0, path.size() + 1);
    paths_.push_back(path_named(path));
  }
}

bool CellFormula::is_text() const {
  return !paths_.empty() &&
         std::all_of(paths_.begin(), paths_.end(), [](const auto& path) { return path.fits_text(); });
}

void CellFormula::append_text(std::string& cells, ObjectText& object, std::int64_t now) const {
  if (function_ != nullptr && function_ != age) return append_result(cells, object, now);
  const std::string_view found = paths_.front().first_text(object);
  if (function_ == nullptr) {
    const bool absent = found.empty() || found == "null" || found == R"("")";
    cells += absent ? std::string_view(absent_text_) : found;
    return;
  }
  const bool is_plain = found.starts_with('"') && found.find('\\') == std::string_view::npos;
  if (!is_plain) return append_result(cells, object, now);
  cells.append("\"").append(age_of(std::string(found.substr(1, found.size() - 2)), now)) += '"';
}

/// What the function makes of what it looks at, which is read into trees.
void CellFormula::append_result(std::string& cells, ObjectText& object, std::int64_t now) const {
  std::vector<std::vector<json>> values;
  for (const FieldPath& path : paths_) {
    auto& of_path = values.emplace_back();
    for (const std::string_view text : path.select_text(object)) {
      of_path.push_back(json::parse(text, nullptr, false));
      if (of_path.back().is_discarded()) return object.set_broken();
    }
  }
  Arguments arguments;
  for (const auto& of_path : values) {
    Values& pointers = arguments.emplace_back();
    for (const json& value : of_path) pointers.push_back(&value);
  }
  cells += function_(arguments, now).dump();
}

json CellFormula::value(const json& object, std::int64_t now) const {
  if (paths_.empty()) return "";
  if (function_ == nullptr) {
    const json* found = paths_.front().first(object);
    if (found == nullptr || found->is_null() || *found == "") return absent_;
    return *found;
  }
  Arguments arguments;
  for (const FieldPath& path : paths_) arguments.push_back(path.select(object));
  return function_(arguments, now);
}

}  // namespace usbloop::apiserver
