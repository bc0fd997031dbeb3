#include "kube-sim/schema/merge_schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube-sim/schema/schema.h"

namespace usbloop::apiserver {
namespace {

using Lines = std::vector<std::string_view>;

std::string_view cut(std::string_view& text, std::string_view separators) {
  const std::string_view part = text.substr(0, text.find_first_of(separators));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

/// Types may hold themselves: below this depth the rule holds.
constexpr int kDeepest = 16;

}  // namespace

MergeSchema::MergeSchema(const Lines& lines) {
  for (const std::string_view line : lines) add(line);
}

void MergeSchema::add(std::string_view line) {
  std::string_view how = line;
  std::string_view path = cut(how, " ");
  MergeSchema* at = this;
  while (!path.empty()) {
    std::string_view segment = cut(path, ".");
    const bool into_items = segment.ends_with("[]");
    if (into_items) segment.remove_suffix(2);
    at = &at->fields_[std::string(segment)];
    if (!into_items) continue;
    if (!at->items_) at->items_ = std::make_unique<MergeSchema>();
    at = at->items_.get();
  }
  at->set_how(how);
}

void MergeSchema::set_how(std::string_view how) {
  if (how == "atomic") {
    kind_ = Kind::atomic;
  } else if (how == "set") {
    kind_ = Kind::set;
  } else if (how == "open") {
    kind_ = Kind::open;
  } else {
    kind_ = Kind::keyed;
    while (!how.empty()) keys_.emplace_back(cut(how, ","));
    patch_key_ = keys_.front();
    std::sort(keys_.begin(), keys_.end());
  }
}

MergeSchema MergeSchema::of(const Schema& schema) {
  MergeSchema made;
  made.read(schema, 0);
  return made;
}

void MergeSchema::read(const Schema& schema, int depth) {
  if (depth > kDeepest) return;
  if (schema.type == Schema::Type::array) {
    MergeSchema items;
    items.read(*schema.element, depth + 1);
    if (!items.says_nothing()) items_ = std::make_unique<MergeSchema>(std::move(items));
  }
  for (const SchemaField& field : schema.fields) {
    MergeSchema child;
    if (!field.merge.empty()) child.set_how(field.merge);
    child.read(*field.schema, depth + 1);
    if (!child.says_nothing()) fields_.emplace(field.name, std::move(child));
  }
}

MergeSchema MergeSchema::of_openapi(const nlohmann::json& schema) {
  // The metadata is Kubernetes', whatever the schema says of it.
  MergeSchema made({"metadata.finalizers set", "metadata.ownerReferences uid"});
  made.read_openapi(schema, 0);
  return made;
}

void MergeSchema::read_openapi(const nlohmann::json& schema, int depth) {
  if (depth > 2 * kDeepest || !schema.is_object()) return;
  const std::string list_type = schema.value("x-kubernetes-list-type", "");
  if (list_type == "set" || list_type == "atomic") set_how(list_type);
  if (list_type == "map") {
    std::string keys;
    for (const auto& key : schema.value("x-kubernetes-list-map-keys", nlohmann::json::array())) {
      if (key.is_string()) keys += (keys.empty() ? "" : ",") + key.get<std::string>();
    }
    if (!keys.empty()) set_how(keys);
  }
  if (schema.value("x-kubernetes-map-type", "") == "atomic") set_how("atomic");
  if (const auto items = schema.find("items"); items != schema.end()) {
    MergeSchema child;
    child.read_openapi(*items, depth + 1);
    if (!child.says_nothing()) items_ = std::make_unique<MergeSchema>(std::move(child));
  }
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object()) return;
  for (const auto& [name, property] : properties->items()) {
    if (depth == 0 && name == "metadata") continue;
    MergeSchema child;
    child.read_openapi(property, depth + 1);
    if (!child.says_nothing()) fields_.emplace(name, std::move(child));
  }
}

const MergeSchema* MergeSchema::field(const std::string& name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? nullptr : &found->second;
}

}  // namespace usbloop::apiserver
