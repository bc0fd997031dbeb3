#include "kube-sim/resources/resource.h"

#include <cstdint>
#include <limits>

#include "kube-sim/request/time.h"
#include "kube-sim/schema/schema_set.h"
#include "kube-sim/schema/validation.h"

namespace usbloop::apiserver {

namespace {

/// The rules of a kind, and those of the metadata, which all have.
std::vector<std::string_view> with_metadata(std::vector<std::string_view> rules) {
  rules.insert(rules.end(), {"metadata.finalizers set", "metadata.ownerReferences uid"});
  return rules;
}

}  // namespace

Resource::Resource(ResourceInfo info) : info_(std::move(info)), merge_schema_(with_metadata(info_.merge_rules)) {}

void Resource::describe(const SchemaSet& schemas) { schema_ = schemas.kind(api_version(info_.version), info_.kind); }

std::string Resource::api_version(const std::string& version) const {
  return info_.group.empty() ? version : info_.group + "/" + version;
}

void Resource::prepare_create(nlohmann::json&, const std::string&) const {}

void Resource::prepare_update(nlohmann::json& object, const nlohmann::json& current, bool status_only) const {
  if (!info_.has_status) return;
  if (!status_only) {
    object.erase("status");
    if (current.contains("status")) object["status"] = current["status"];
    return;
  }
  nlohmann::json updated = current;
  for (const char* part : {"labels", "annotations"}) {
    updated["metadata"].erase(part);
    const auto& metadata = object["metadata"];
    if (metadata.contains(part)) updated["metadata"][part] = metadata[part];
  }
  updated.erase("status");
  if (object.contains("status")) updated["status"] = object["status"];
  object = std::move(updated);
}

void Resource::restore_protected(nlohmann::json&, const nlohmann::json&, const User&) const {}

std::optional<kube::Status> Resource::refuse_create(const nlohmann::json&, const User&) const { return std::nullopt; }

Causes Resource::validate(const nlohmann::json& object) const {
  return schema_ == nullptr ? Causes() : violations(*schema_, object);
}

std::optional<kube::Status> Resource::refuse_update(const nlohmann::json&, const nlohmann::json&, const User&) const {
  return std::nullopt;
}

std::optional<kube::Status> Resource::admit(const nlohmann::json&) const { return std::nullopt; }

std::optional<kube::Status> Resource::refuse_delete(const std::string&) const { return std::nullopt; }

std::int64_t Resource::deletion_grace(const nlohmann::json&, std::optional<std::int64_t>) const { return 0; }

bool Resource::hasten_end(nlohmann::json&, std::int64_t) const { return false; }

bool Resource::removable_with_finalizers(const nlohmann::json&) const { return false; }

Fields Resource::selectable(const nlohmann::json& object) const {
  Fields fields;
  for (const std::string& name : selectable_names()) {
    std::string pointer = "/" + name;
    for (char& c : pointer) c = c == '.' ? '/' : c;
    fields[name] = text_at(object, pointer.c_str());
  }
  return fields;
}

const std::vector<std::string>& Resource::selectable_names() const {
  static const std::vector<std::string> kNone;
  return kNone;
}

const std::vector<Column>& Resource::columns() const {
  static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name of the object."},
                                               {"Age", "string", "", 0, "How long ago the object was created."}};
  return kColumns;
}

nlohmann::json Resource::cells(const nlohmann::json& object, std::int64_t now) const {
  return {text_at(object, "/metadata/name"), age_of(text_at(object, "/metadata/creationTimestamp"), now)};
}

std::int64_t int64_of(const nlohmann::json& value, std::int64_t fallback) {
  constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
  if (!value.is_number_integer()) return fallback;
  const bool is_beyond =
      value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(kInt64Max);
  return is_beyond ? kInt64Max : value.get<std::int64_t>();
}

const nlohmann::json* element_at(const nlohmann::json& object, const char* pointer) {
  const nlohmann::json::json_pointer path(pointer);
  return object.contains(path) ? &object.at(path) : nullptr;
}

std::string text_at(const nlohmann::json& object, const char* pointer) {
  const nlohmann::json* found = element_at(object, pointer);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::string condition_status(const nlohmann::json& object, const std::string& type) {
  const nlohmann::json* conditions = element_at(object, "/status/conditions");
  if (conditions == nullptr || !conditions->is_array()) return {};
  for (const nlohmann::json& condition : *conditions) {
    if (text_at(condition, "/type") == type) return text_at(condition, "/status");
  }
  return {};
}

std::string age_of(const std::string& timestamp, std::int64_t now) {
  const auto then = parse_time(timestamp);
  return then ? human_duration(now - *then) : "<unknown>";
}

}  // namespace usbloop::apiserver
