#pragma once

#include <nlohmann/json.hpp>

#include "kube-sim/objects/managed_fields/field_set.h"
#include "kube-sim/schema/merge_schema.h"

// What structured merging does with objects. A null value is taken for an absent one. `schema` may be null: the rule
// holds everywhere below.
namespace usbloop::apiserver {

/// The places that an applied configuration lays claim to: its leaves, and the items of its keyed lists.
FieldSet places_of(const nlohmann::json& config, const MergeSchema* schema);

struct Comparison {
  FieldSet added, removed, modified;
  [[nodiscard]] bool same() const { return added.empty() && removed.empty() && modified.empty(); }
};
/// Objects and list items that are new or gone are places as well as what is in them.
Comparison compare(const nlohmann::json& before, const nlohmann::json& after, const MergeSchema* schema);

/// The live object with an applied configuration laid over it.
nlohmann::json merged(const nlohmann::json& live, const nlohmann::json& config, const MergeSchema* schema);

/// Takes the places of the set out of the object, and what becomes empty by that.
void remove_places(nlohmann::json& object, const FieldSet& places, const MergeSchema* schema);

/// The step to an item of a keyed list or of a set; by its position when it lacks a key field.
std::string step_to_item(const nlohmann::json& item, std::size_t index, const MergeSchema& list);

}  // namespace usbloop::apiserver
