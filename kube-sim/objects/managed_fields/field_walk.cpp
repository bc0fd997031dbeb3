#include "kube-sim/objects/managed_fields/field_walk.h"

#include <algorithm>
#include <set>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Kind = MergeSchema::Kind;

enum class Shape { leaf, fields, items };

/// Whether a value has places of its own inside.
Shape shape_of(const json& value, const MergeSchema* schema) {
  const Kind kind = schema == nullptr ? Kind::by_rule : schema->kind();
  if (value.is_object()) return kind == Kind::atomic ? Shape::leaf : Shape::fields;
  if (value.is_array() && (kind == Kind::set || kind == Kind::keyed)) return Shape::items;
  return Shape::leaf;
}

const MergeSchema* field_schema(const MergeSchema* schema, const std::string& name) {
  return schema == nullptr ? nullptr : schema->field(name);
}

/// The items of a list by their steps; of equal ones the first counts.
using Items = std::map<std::string, const json*>;

Items items_of(const json& list, const MergeSchema& schema) {
  Items items;
  for (std::size_t i = 0; i < list.size(); ++i) items.try_emplace(step_to_item(list[i], i, schema), &list[i]);
  return items;
}

void collect_places(const json& value, const MergeSchema* schema, FieldSet& set) {
  switch (shape_of(value, schema)) {
    case Shape::leaf: set.self = true; return;
    case Shape::fields:
      set.self = value.empty();
      for (const auto& [name, child] : value.items()) {
        FieldSet& field = set.children["f:" + name];
        collect_places(child, field_schema(schema, name), field);
        if (schema != nullptr && schema->kind() == Kind::open) field.self = true;
      }
      return;
    case Shape::items:
      for (std::size_t i = 0; i < value.size(); ++i) {
        FieldSet& item = set.children[step_to_item(value[i], i, *schema)];
        collect_places(value[i], schema->items(), item);
        item.self = true;
      }
      return;
  }
}

/// The three sets of a comparison at one place.
struct Sets {
  FieldSet& added;
  FieldSet& removed;
  FieldSet& modified;
  [[nodiscard]] Sets below(const std::string& step) const {
    return {added.children[step], removed.children[step], modified.children[step]};
  }
};

void compare_leaves(const json* before, const json* after, const Sets& sets) {
  if (before == nullptr) {
    sets.added.self = true;
  } else if (after == nullptr) {
    sets.removed.self = true;
  } else if (*before != *after) {
    sets.modified.self = true;
  }
}

const json* present(const json* value) { return value == nullptr || value->is_null() ? nullptr : value; }

const json* member(const json* object, const std::string& name) {
  if (object == nullptr) return nullptr;
  const auto found = object->find(name);
  return found == object->end() ? nullptr : &*found;
}

void compare_values(const json* before, const json* after, const MergeSchema* schema, const Sets& sets);

void compare_fields(const json* before, const json* after, const MergeSchema* schema, const Sets& sets) {
  std::set<std::string> names;
  for (const json* object : {before, after}) {
    if (object == nullptr) continue;
    for (const auto& [name, value] : object->items()) names.insert(name);
  }
  for (const std::string& name : names) {
    compare_values(member(before, name), member(after, name), field_schema(schema, name), sets.below("f:" + name));
  }
}

void compare_items(const json* before, const json* after, const MergeSchema& schema, const Sets& sets) {
  const Items old_items = before == nullptr ? Items() : items_of(*before, schema);
  const Items new_items = after == nullptr ? Items() : items_of(*after, schema);
  const auto find = [](const Items& items, const std::string& step) {
    const auto found = items.find(step);
    return found == items.end() ? nullptr : found->second;
  };
  Items all = old_items;
  all.insert(new_items.begin(), new_items.end());
  for (const auto& [step, item] : all) {
    compare_values(find(old_items, step), find(new_items, step), schema.items(), sets.below(step));
  }
}

void compare_values(const json* before, const json* after, const MergeSchema* schema, const Sets& sets) {
  before = present(before);
  after = present(after);
  if (before == nullptr && after == nullptr) return;
  const Shape shape = shape_of(after != nullptr ? *after : *before, schema);
  const bool nothing_inside = (before == nullptr || before->empty()) && (after == nullptr || after->empty());
  const bool changes_shape = before != nullptr && after != nullptr && shape_of(*before, schema) != shape;
  if (shape == Shape::leaf || nothing_inside || changes_shape) return compare_leaves(before, after, sets);
  if (shape == Shape::fields) {
    compare_fields(before, after, schema, sets);
  } else {
    compare_items(before, after, *schema, sets);
  }
  if (before == nullptr) sets.added.self = true;
  if (after == nullptr) sets.removed.self = true;
}

/// In the configuration's order; items that it does not name keep their place before the one that followed them.
json merged_items(const json& live, const json& config, const MergeSchema& schema) {
  const Items live_items = items_of(live, schema);
  const Items config_items = items_of(config, schema);
  json result = json::array();
  std::size_t at = 0;
  const auto take_unnamed = [&] {
    for (; at < live.size() && config_items.count(step_to_item(live[at], at, schema)) == 0; ++at) {
      result.push_back(live[at]);
    }
  };
  for (std::size_t i = 0; i < config.size(); ++i) {
    const auto found = live_items.find(step_to_item(config[i], i, schema));
    if (found == live_items.end()) {
      result.push_back(config[i]);
      continue;
    }
    take_unnamed();
    result.push_back(merged(*found->second, config[i], schema.items()));
    if (at < live.size()) ++at;
  }
  for (; at < live.size(); ++at) {
    if (config_items.count(step_to_item(live[at], at, schema)) == 0) result.push_back(live[at]);
  }
  return result;
}

void remove_fields(json& object, const FieldSet& places, const MergeSchema* schema) {
  for (const auto& [step, below] : places.children) {
    if (step[0] != 'f') continue;
    const std::string name = step.substr(2);
    const auto found = object.find(name);
    if (found == object.end()) continue;
    // An object whose field is owned, too, goes when nothing of others is left in it.
    bool goes = below.self && (below.children.empty() || !found->is_object());
    if (!goes && found->is_structured() && !found->empty()) {
      remove_places(*found, below, field_schema(schema, name));
      goes = found->empty();
    }
    if (goes) object.erase(name);
  }
}

void remove_items(json& list, const FieldSet& places, const MergeSchema& schema) {
  json kept = json::array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const FieldSet* below = places.at(step_to_item(list[i], i, schema));
    if (below != nullptr && below->self) continue;
    if (below != nullptr) remove_places(list[i], *below, schema.items());
    kept.push_back(std::move(list[i]));
  }
  list = std::move(kept);
}

}  // namespace

std::string step_to_item(const json& item, std::size_t index, const MergeSchema& list) {
  if (list.kind() == Kind::set && !item.is_structured()) return "v:" + item.dump();
  const auto by_position = [&] { return "i:" + std::to_string(index); };
  if (list.kind() != Kind::keyed || !item.is_object()) return by_position();
  json keys = json::object();
  for (const std::string& key : list.keys()) {
    const auto found = item.find(key);
    if (found != item.end() && !found->is_structured()) {
      keys[key] = *found;
    } else if (found == item.end() && key == "protocol") {
      keys[key] = "TCP";  // the one key field with a default
    } else {
      return by_position();
    }
  }
  return "k:" + keys.dump();
}

FieldSet places_of(const json& config, const MergeSchema* schema) {
  FieldSet set;
  collect_places(config, schema, set);
  set.self = false;
  return set;
}

Comparison compare(const json& before, const json& after, const MergeSchema* schema) {
  Comparison result;
  compare_fields(&before, &after, schema, {result.added, result.removed, result.modified});
  for (FieldSet* set : {&result.added, &result.removed, &result.modified}) set->prune();
  return result;
}

json merged(const json& live, const json& config, const MergeSchema* schema) {
  const Shape shape = shape_of(config, schema);
  if (shape == Shape::leaf || shape_of(live, schema) != shape) return config;
  if (shape == Shape::items) return merged_items(live, config, *schema);
  json result = live;
  for (const auto& [name, value] : config.items()) {
    if (value.is_null()) {
      result.erase(name);
    } else if (const auto found = result.find(name); found != result.end()) {
      *found = merged(*found, value, field_schema(schema, name));
    } else {
      result[name] = value;
    }
  }
  return result;
}

void remove_places(json& object, const FieldSet& places, const MergeSchema* schema) {
  switch (shape_of(object, schema)) {
    case Shape::leaf: return;
    case Shape::fields: remove_fields(object, places, schema); return;
    case Shape::items: remove_items(object, places, *schema); return;
  }
}

}  // namespace usbloop::apiserver
