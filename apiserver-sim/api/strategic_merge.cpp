#include "apiserver-sim/api/strategic_merge.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// The field by which the elements of a list are told apart; null for lists that are replaced as a whole.
const char* merge_key(const std::string& list) {
  static const std::map<std::string, const char*, std::less<>> kKeys = {
      {"conditions", "type"}, {"addresses", "type"}, {"taints", "key"}, {"ownerReferences", "uid"}};
  const auto found = kKeys.find(list);
  return found == kKeys.end() ? nullptr : found->second;
}

bool has_directive(const json& patch, std::string_view directive) {
  return patch.is_object() && patch.contains("$patch") && patch["$patch"] == directive;
}

void merge_keyed_list(json& list, const json& patch, const char* key) {
  for (const json& entry : patch) {
    if (!entry.is_object() || !entry.contains(key)) continue;
    const auto same = [&](const json& item) {
      return item.is_object() && item.contains(key) && item[key] == entry[key];
    };
    const auto found = std::find_if(list.begin(), list.end(), same);
    if (has_directive(entry, "delete")) {
      if (found != list.end()) list.erase(found);
    } else if (found != list.end()) {
      strategic_merge(*found, entry);
    } else {
      json added = json::object();
      strategic_merge(added, entry);
      list.push_back(std::move(added));
    }
  }
}

void unite(json& list, const json& patch) {
  for (const json& item : patch) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
  }
}

void merge_member(json& object, const std::string& name, const json& value) {
  if (value.is_null()) {
    object.erase(name);
    return;
  }
  json& member = object[name];
  if (value.is_object()) {
    if (!member.is_object()) member = json::object();
    strategic_merge(member, value);
  } else if (value.is_array() && (merge_key(name) != nullptr || name == "finalizers")) {
    if (!member.is_array()) member = json::array();
    if (name == "finalizers") {
      unite(member, value);
    } else {
      merge_keyed_list(member, value, merge_key(name));
    }
  } else {
    member = value;
  }
}

/// "$deleteFromPrimitiveList/finalizers": ["x"]
bool delete_from_list(json& object, const std::string& name, const json& values) {
  constexpr std::string_view kPrefix = "$deleteFromPrimitiveList/";
  if (!name.starts_with(kPrefix)) return false;
  const auto found = object.find(name.substr(kPrefix.size()));
  if (found == object.end() || !found->is_array() || !values.is_array()) return true;
  json kept = json::array();
  for (const json& item : *found) {
    if (std::find(values.begin(), values.end(), item) == values.end()) kept.push_back(item);
  }
  *found = std::move(kept);
  return true;
}

}  // namespace

void strategic_merge(json& object, const json& patch) {
  if (has_directive(patch, "replace") || has_directive(patch, "delete")) object = json::object();
  if (has_directive(patch, "delete")) return;
  for (const auto& [name, value] : patch.items()) {
    if (delete_from_list(object, name, value) || name.starts_with("$")) continue;
    merge_member(object, name, value);
  }
}

}  // namespace usbloop::apiserver
