#include "kube-sim/resources/resource.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>

#include "common/ascii_text.h"
#include "common/timestamp.h"
#include "kube-sim/schema/constraints.h"
#include "kube-sim/schema/schema_set.h"
#include "kube-sim/schema/validation.h"

namespace usbloop::apiserver {

namespace {

/// "kubevirt.io/v1": group and version; "v1" is of the core group.
std::pair<std::string, std::string> split_api_version(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {"", text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

const std::vector<Column>& name_and_age() {
  static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name of the object."},
                                               {"Age", "string", "", 0, "How long ago the object was created."}};
  return kColumns;
}

/// Writes the default in at a path below `at`, wherever the objects on the way are there. `begins_status`: a status is
/// there.
void put_default(nlohmann::json& at, std::string_view path, const nlohmann::json& value, bool begins_status) {
  if (!at.is_object()) return;
  path.remove_prefix(1);  // the dot
  std::string name(path.substr(0, path.find('.')));
  path.remove_prefix(name.size());
  const bool into_items = name.ends_with("[]");
  if (into_items) name.resize(name.size() - 2);
  if (path.empty()) {
    // A client that knows the field sends it as an empty object when nothing is in it.
    const auto found = at.find(name);
    if (found == at.end() || found->is_null() || (value.is_object() && found->is_object() && found->empty()))
      at[name] = value;
    return;
  }
  if (name == "status" && begins_status && !at.contains(name)) at[name] = nlohmann::json::object();
  const auto found = at.find(name);
  if (found == at.end()) return;
  if (!into_items) return put_default(*found, path, value, begins_status);
  if (!found->is_array()) return;
  for (nlohmann::json& item : *found) put_default(item, path, value, begins_status);
}

}  // namespace

Resource::Resource(ResourceInfo info) : info_(std::move(info)), columns_(name_and_age()) {
  info_.counts_generations = info_.custom();
}

Resource::Resource(ResourceInfo info, MergeSchema merge_schema)
    : info_(std::move(info)), merge_schema_(std::move(merge_schema)) {
  info_.counts_generations = info_.custom();
}

Resource::Resource(const std::string& api_version, const std::string& kind) : columns_(name_and_age()) {
  std::tie(info_.group, info_.version) = split_api_version(api_version);
  info_.kind = kind;
  info_.strategic_merge = true;
}

void Resource::describe(const SchemaSet& schemas) {
  const std::string version = api_version(info_.version);
  schema_ = schemas.kind(version, info_.kind);
  if (schema_ != nullptr) merge_schema_ = MergeSchema::of(*schema_);
  description_ = schemas.description(version, info_.kind);
  if (description_ == nullptr) return;
  if (const SchemaPackage* package = schemas.package(version)) {
    info_.strategic_merge = !package->custom;
    has_rules_ = package->custom && schema_ != nullptr && usbloop::apiserver::has_rules(*schema_);
  }
  info_.plural = description_->plural;
  info_.singular = lower_case(info_.kind);
  info_.namespaced = !description_->cluster_wide;
  info_.short_names = description_->short_names;
  info_.categories = description_->categories;
  info_.other_versions = description_->other_versions;
  info_.other_versions_warning = description_->other_versions_warning;
  info_.answers_token = description_->answers_token;
  info_.counts_generations = info_.custom() || description_->counts_generations;
  info_.has_status = description_->has_status;
  info_.has_approval = description_->has_approval;
  info_.path_segment_names = description_->path_segment_names;
  info_.scale = description_->scale;
  if (description_->columns.empty()) return;
  const auto is_name = [](const auto& described) { return described.column.name == "Name"; };
  const auto& described = description_->columns;
  columns_.clear();
  if (std::none_of(described.begin(), described.end(), is_name)) {
    columns_.push_back(name_and_age().front());
    formulas_.emplace_back(".metadata.name");
  }
  for (const auto& [column, cell] : description_->columns) {
    columns_.push_back(column);
    formulas_.emplace_back(cell);
  }
  has_text_cells_ = std::all_of(formulas_.begin(), formulas_.end(), [](const auto& cell) { return cell.is_text(); });
}

const nlohmann::json* Resource::openapi(const std::string&) const { return nullptr; }

void Resource::prune(nlohmann::json& object, std::vector<std::string>* unknown) const {
  if (schema_ == nullptr) return;
  if (unknown != nullptr) *unknown = unknown_fields(*schema_, object);
  prune_unknown_fields(*schema_, object);
}

void Resource::add_defaults(nlohmann::json& object) const {
  if (description_ == nullptr) return;
  // The status of Kubernetes' own kinds is the server's, who begins it. Custom resources have none before it is
  // written.
  const bool begins_status = !info_.custom();
  for (const auto& [path, value] : description_->defaults) put_default(object, path, value, begins_status);
}

std::string Resource::without_controller() const {
  return description_ == nullptr ? std::string() : description_->without_controller;
}

void Resource::note_creator(nlohmann::json&, const User&) const {}

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

void Resource::prepare_approval(nlohmann::json& object, const nlohmann::json& current) const {
  prepare_update(object, current, true);
}

void Resource::restore_protected(nlohmann::json&, const nlohmann::json&, const User&) const {}

std::optional<kube::Status> Resource::refuse_create(const nlohmann::json&, const User&) const { return std::nullopt; }

Causes Resource::validate(const nlohmann::json& object) const {
  return schema_ == nullptr ? Causes() : violations(*schema_, object);
}

std::optional<kube::Status> Resource::refuse_update(const nlohmann::json&, const nlohmann::json&, const User&) const {
  return std::nullopt;
}

Causes Resource::status_faults(const nlohmann::json&, const nlohmann::json&) const { return {}; }

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
  return description_ == nullptr ? kNone : description_->selectable;
}

const std::vector<Column>& Resource::columns() const { return columns_; }

nlohmann::json Resource::cells(const nlohmann::json& object, std::int64_t now) const {
  if (formulas_.empty()) {
    return {text_at(object, "/metadata/name"), age_of(text_at(object, "/metadata/creationTimestamp"), now)};
  }
  nlohmann::json cells = nlohmann::json::array();
  for (const CellFormula& formula : formulas_) cells.push_back(formula.value(object, now));
  return cells;
}

void Resource::append_cells(std::string& row, ObjectText& object, std::int64_t now) const {
  char before = '[';
  for (const CellFormula& formula : formulas_) {
    row += before;
    formula.append_text(row, object, now);
    before = ',';
  }
  row += ']';
}

std::int64_t int64_of(const nlohmann::json& value, std::int64_t fallback) {
  constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
  if (!value.is_number_integer()) return fallback;
  const bool is_beyond =
      value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(kInt64Max);
  return is_beyond ? kInt64Max : value.get<std::int64_t>();
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
