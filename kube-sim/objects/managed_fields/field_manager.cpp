#include "kube-sim/objects/managed_fields/field_manager.h"

#include "kube-sim/objects/managed_fields/conflicts.h"
#include "kube-sim/objects/managed_fields/field_walk.h"
#include "kube-sim/objects/managed_fields/last_applied.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kBeforeFirstApply = "before-first-apply";

const json& no_object() {
  static const json kNone = json::object();
  return kNone;
}

const json* record_of(const json& object) {
  const json* record = element_at(object, "/metadata/managedFields");
  return record != nullptr && record->is_array() && !record->empty() ? record : nullptr;
}

void write_record(json& object, Managers managers) {
  managers.cap();
  if (managers.empty()) {
    if (object.contains("metadata")) object["metadata"].erase("managedFields");
  } else {
    object["metadata"]["managedFields"] = managers.to_json();
  }
}

json without_record(json object) {
  if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object()) {
    metadata->erase("managedFields");
  }
  return object;
}

Managers managers_of(const json* object) {
  const json* record = object == nullptr ? nullptr : record_of(*object);
  if (record == nullptr) return {};
  return Managers::from_json(*record).value_or(Managers());
}

/// What names the object and what the server alone writes has no owner.
void strip(FieldSet& fields, const std::string& subresource) {
  for (const char* name : {"apiVersion", "kind"}) fields.erase({"f:" + std::string(name)});
  for (const char* name : {"name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields",
                           "resourceVersion"}) {
    fields.erase({"f:metadata", "f:" + std::string(name)});
  }
  if (const auto metadata = fields.children.find("f:metadata"); metadata != fields.children.end()) {
    metadata->second.self = false;
  }
  // Through a subresource only its own part is written.
  if (!subresource.empty()) {
    // The approval is a part of the status.
    const std::string own = "f:" + (subresource == "approval" ? "status" : subresource);
    std::erase_if(fields.children, [&](const auto& child) { return child.first != own; });
  }
  fields.prune();
}

/// The record that an update starts from; nothing when the client asked to forget it.
std::optional<Managers> record_for_update(const json* before, const json& object, const std::string& subresource) {
  const json* given = record_of(object);
  if (given == nullptr || !subresource.empty()) return managers_of(before);
  if (*given == json::array({json::object()})) return std::nullopt;
  auto managers = Managers::from_json(*given);
  return managers && !managers->empty() ? std::move(*managers) : managers_of(before);
}

/// Gives the fields that changed to the owner. Fields that are gone belong to nobody.
void own_changes(Managers& managers, const Comparison& changes, const FieldOwner& owner) {
  FieldSet taken = changes.added;
  taken.unite(changes.modified);
  FieldSet from_others = taken;
  from_others.unite(changes.removed);
  managers.take_from_others(from_others, owner.manager);
  strip(taken, owner.manager.subresource);
  const Managers::Entry* mine = managers.find(owner.manager);
  FieldSet fields = mine == nullptr ? FieldSet() : mine->fields;
  const FieldSet had = fields;
  fields.unite(taken);
  fields.subtract(changes.removed);
  const bool wrote = !taken.empty() || fields != had;
  const std::string time = wrote || mine == nullptr ? owner.now : mine->time;
  managers.set(owner.manager, time, std::move(fields));
}

/// An object that was written before anybody applied to it: its fields belong to whoever that was.
Managers adopted(const json& live, const FieldOwner& owner, const MergeSchema& schema) {
  Managers managers;
  const Manager before{kBeforeFirstApply, false, owner.manager.api_version, {}};
  own_changes(managers, compare(no_object(), live, &schema), {before, owner.now});
  return managers;
}

struct Applied {
  json object;
  Managers managers;
  Comparison changes;
};

/// The outcome without regard to who else owns what changes.
Applied apply_to(const json& live, const json& configuration, Managers managers, const FieldOwner& owner,
                 const MergeSchema& schema) {
  FieldSet fields = places_of(configuration, &schema);
  strip(fields, owner.manager.subresource);
  FieldSet dropped;
  std::string time = owner.now;
  if (const Managers::Entry* last = managers.find(owner.manager)) {
    dropped = last->fields;
    if (last->fields == fields && last->manager.api_version == owner.manager.api_version) time = last->time;
  }
  managers.set(owner.manager, time, std::move(fields));
  dropped.subtract(managers.owned());
  json object = merged(live, configuration, &schema);
  remove_places(object, dropped, &schema);
  Comparison changes = compare(live, object, &schema);
  return {std::move(object), std::move(managers), std::move(changes)};
}

}  // namespace

void track_update(const json* before, json& object, const FieldOwner& owner, const MergeSchema& schema) {
  auto managers = record_for_update(before, object, owner.manager.subresource);
  object = without_record(std::move(object));
  if (!managers) return;
  // Nobody was recorded: it stays so, the first apply sorts it out.
  if (before != nullptr && managers->empty()) return;
  const json old = before == nullptr ? json::object() : without_record(*before);
  own_changes(*managers, compare(old, object, &schema), owner);
  write_record(object, std::move(*managers));
}

tl::expected<json, kube::Status> apply_configuration(const json* live, const json& configuration,
                                                     const FieldOwner& owner, bool force, const MergeSchema& schema) {
  if (const std::string version = text_at(configuration, "/apiVersion"); version != owner.manager.api_version) {
    return tl::unexpected(kube::bad_request("Incorrect version specified in apply patch. Specified patch version: " +
                                            version + ", expected: " + owner.manager.api_version));
  }
  if (const json* record = element_at(configuration, "/metadata/managedFields");
      record != nullptr && !record->is_null()) {
    return tl::unexpected(kube::bad_request("metadata.managedFields must be nil"));
  }
  if (auto refused = refuse_ambiguous_items(configuration, schema)) return tl::unexpected(*refused);
  const json old = live == nullptr ? json::object() : without_record(*live);
  Managers managers = managers_of(live);
  if (live != nullptr && managers.empty()) managers = adopted(old, owner, schema);
  Applied applied = apply_to(old, configuration, managers, owner, schema);
  const auto conflicts = find_conflicts(applied.managers, applied.changes, owner.manager);
  if (!conflicts.empty() && !force && !last_applied_allows(old, conflicts, owner.manager, schema)) {
    return tl::unexpected(conflict_status(conflicts));
  }
  if (live != nullptr && update_last_applied(old, applied.object, configuration, owner.manager)) {
    applied.changes = compare(old, applied.object, &schema);
  }
  FieldSet taken = applied.changes.added;
  taken.unite(applied.changes.modified);
  taken.unite(applied.changes.removed);
  applied.managers.take_from_others(taken, owner.manager);
  if (live != nullptr && applied.changes.same() && applied.managers.to_json() == managers.to_json()) return *live;
  if (const Managers::Entry* mine = applied.managers.find(owner.manager)) {
    applied.managers.set(owner.manager, owner.now, mine->fields);
  }
  write_record(applied.object, std::move(applied.managers));
  return std::move(applied.object);
}

}  // namespace usbloop::apiserver
