#include "kube-sim/objects/strategic_merge.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::string_view kDeletePrefix = "$deleteFromPrimitiveList/";
constexpr std::string_view kOrderPrefix = "$setElementOrder/";

const MergeSchema* below(const MergeSchema* schema, std::string_view field) {
  return schema == nullptr ? nullptr : schema->field(std::string(field));
}

/// The field by which the elements of a list are told apart (patchMergeKey); null for lists that are replaced as a
/// whole.
const char* merge_key(const MergeSchema* list) {
  return list != nullptr && list->kind() == MergeSchema::Kind::keyed ? list->patch_key().c_str() : nullptr;
}

bool is_united(const MergeSchema* list) { return list != nullptr && list->kind() == MergeSchema::Kind::set; }

const MergeSchema* items_of(const MergeSchema* list) { return list == nullptr ? nullptr : list->items(); }

bool has_directive(const json& patch, std::string_view directive) {
  return patch.is_object() && patch.contains("$patch") && patch["$patch"] == directive;
}

json::iterator find_item(json& list, const json& key_value, const char* key) {
  return std::find_if(list.begin(), list.end(), [&](const json& item) {
    return item.is_object() && item.contains(key) && item[key] == key_value;
  });
}

json without_directives(const json& patch, const MergeSchema* schema) {
  json made = json::object();
  strategic_merge(made, patch, schema);
  return made;
}

void merge_keyed_list(json& list, const json& patch, const MergeSchema& schema) {
  const char* key = merge_key(&schema);
  const bool replaces = std::any_of(patch.begin(), patch.end(), [&](const json& entry) {
    return has_directive(entry, "replace") && !entry.contains(key);
  });
  if (replaces) list = json::array();
  for (const json& entry : patch) {
    if (!entry.is_object() || !entry.contains(key)) continue;
    const auto found = find_item(list, entry[key], key);
    if (has_directive(entry, "delete")) {
      if (found != list.end()) list.erase(found);
    } else if (found != list.end()) {
      strategic_merge(*found, entry, schema.items());
    } else {
      list.push_back(without_directives(entry, schema.items()));
    }
  }
}

void unite(json& list, const json& patch) {
  for (const json& item : patch) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
  }
}

void merge_member(json& object, const std::string& name, const json& value, const MergeSchema* schema) {
  if (value.is_null()) {
    object.erase(name);
    return;
  }
  json& member = object[name];
  if (value.is_object()) {
    if (!member.is_object()) member = json::object();
    if (has_directive(value, "delete")) {
      object.erase(name);
    } else {
      strategic_merge(member, value, schema);
    }
  } else if (value.is_array() && (merge_key(schema) != nullptr || is_united(schema))) {
    if (!member.is_array()) member = json::array();
    if (is_united(schema)) {
      unite(member, value);
    } else {
      merge_keyed_list(member, value, *schema);
    }
  } else {
    member = value;
  }
}

/// "$deleteFromPrimitiveList/finalizers": ["x"]
void delete_from_list(json& object, std::string_view list, const json& values) {
  const auto found = object.find(list);
  if (found == object.end() || !found->is_array() || !values.is_array()) return;
  json kept = json::array();
  for (const json& item : *found) {
    if (std::find(values.begin(), values.end(), item) == values.end()) kept.push_back(item);
  }
  *found = std::move(kept);
}

/// "$setElementOrder/containers": [{"name": "a"}, …]. Items that the order does not name keep their place before the
/// one that followed them.
void reorder(json& object, std::string_view name, const json& order, const MergeSchema* schema) {
  const auto list = object.find(name);
  if (list == object.end() || !list->is_array() || !order.is_array()) return;
  const char* key = merge_key(schema);
  const auto identity = [&](const json& item) {
    return key != nullptr && item.is_object() ? item.value(key, json()) : item;
  };
  std::map<json, std::size_t> places;
  for (const json& item : order) places.emplace(identity(item), places.size());
  // Each run of unnamed items goes with the named one behind it, or to the end.
  std::multimap<std::size_t, json> sorted;
  json waiting = json::array();
  for (json& item : *list) {
    const auto place = places.find(identity(item));
    waiting.push_back(std::move(item));
    if (place == places.end()) continue;
    for (json& moved : waiting) sorted.emplace(place->second, std::move(moved));
    waiting = json::array();
  }
  json result = json::array();
  for (auto& [place, item] : sorted) result.push_back(std::move(item));
  for (json& item : waiting) result.push_back(std::move(item));
  *list = std::move(result);
}

void retain_keys(json& object, const json& keys) {
  for (auto member = object.begin(); member != object.end();) {
    const bool kept = std::find(keys.begin(), keys.end(), json(member.key())) != keys.end();
    member = kept ? std::next(member) : object.erase(member);
  }
}

/// What is wrong with one object of a patch; empty when nothing is.
std::string patch_fault(const json& patch, const MergeSchema* schema) {
  for (const auto& [name, value] : patch.items()) {
    if (name == "$patch" && value != "delete" && value != "replace" && value != "merge") {
      return "unknown patch type found";
    }
    const bool takes_list = name == "$retainKeys" || name.starts_with(kDeletePrefix) || name.starts_with(kOrderPrefix);
    if (takes_list && !value.is_array()) return "invalid patch format of " + name.substr(0, name.find('/')) + " list";
    const char* key = value.is_array() ? merge_key(below(schema, name)) : nullptr;
    if (key == nullptr) continue;
    for (const json& entry : value) {
      if (!entry.is_object() || (!entry.contains(key) && !entry.contains("$patch"))) {
        return std::string("map: ") + entry.dump() + " does not contain declared merge key: " + key;
      }
    }
  }
  return {};
}

}  // namespace

void strategic_merge(json& object, const json& patch, const MergeSchema* schema) {
  if (has_directive(patch, "replace") || has_directive(patch, "delete")) object = json::object();
  if (has_directive(patch, "delete")) return;
  if (const auto keys = patch.find("$retainKeys"); keys != patch.end()) retain_keys(object, *keys);
  for (const auto& [name, value] : patch.items()) {
    if (name.starts_with(kDeletePrefix)) {
      delete_from_list(object, std::string_view(name).substr(kDeletePrefix.size()), value);
    } else if (!name.starts_with("$")) {
      merge_member(object, name, value, below(schema, name));
    }
  }
  // Last, when all items are there.
  for (const auto& [name, value] : patch.items()) {
    if (!name.starts_with(kOrderPrefix)) continue;
    const std::string_view list = std::string_view(name).substr(kOrderPrefix.size());
    reorder(object, list, value, below(schema, list));
  }
}

std::optional<kube::Status> refuse_directives(const json& patch, const MergeSchema* schema) {
  if (patch.is_object()) {
    if (const std::string fault = patch_fault(patch, schema); !fault.empty()) return kube::bad_request(fault);
    for (const auto& [name, child] : patch.items()) {
      if (auto refused = refuse_directives(child, below(schema, name))) return refused;
    }
  } else if (patch.is_array()) {
    for (const json& child : patch) {
      if (auto refused = refuse_directives(child, items_of(schema))) return refused;
    }
  }
  return std::nullopt;
}

}  // namespace usbloop::apiserver
