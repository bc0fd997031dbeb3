#include "kube-sim/controllers/custom_kinds.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "common/kube/conditions.h"
#include "common/timestamp.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/custom_definition.h"
#include "kube-sim/resources/custom_resource.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kCleanup = "customresourcecleanup.apiextensions.k8s.io";
constexpr std::chrono::milliseconds kPauseOfCleanup{200};

const User& extensions_user() {
  static const User kUser{"system:apiserver", "", {"system:masters"}};
  return kUser;
}

/// Plural, singular and short names, which share one name space; the kind has one of its own.
std::set<std::string> names_of(const ResourceInfo& info) {
  std::set<std::string> names(info.short_names.begin(), info.short_names.end());
  names.insert(info.plural);
  names.insert(info.singular);
  return names;
}

std::int64_t generation_of(const json& object) {
  const json* generation = element_at(object, "/metadata/generation");
  return generation == nullptr ? 0 : int64_of(*generation, 0);
}

void note_stored_version(json& object) {
  json& stored = object["status"]["storedVersions"];
  if (!stored.is_array()) stored = json::array();
  for (const json& version : object["spec"]["versions"]) {
    const bool listed = std::find(stored.begin(), stored.end(), version["name"]) != stored.end();
    if (version["storage"] == true && !listed) stored.push_back(version["name"]);
  }
}

}  // namespace

CustomKinds::CustomKinds(Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      writer_(store),
      served_(serve_stored()),
      loop_("custom kinds", store, hub,
            {.resources = {kCustomResourceDefinition},
             .observe = [this](const Event& event) { loop_.add(event.object->key); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [] {}}) {}

std::map<std::string, std::int64_t> CustomKinds::serve_stored() {
  std::map<std::string, std::int64_t> served;
  for (const ObjectPtr& object : store_.list(kCustomResourceDefinition, "").objects) {
    const json definition = object->parse();
    const bool known = registry_.find_qualified(object->key.name) != nullptr;
    if (known || condition_status(definition, "Established") != "True") continue;
    registry_.put_custom(std::make_shared<const CustomResource>(definition, is_being_deleted(definition)));
    served[object->key.name] = generation_of(definition);
  }
  return served;
}

Next CustomKinds::reconcile(const Key& key) {
  if (registry_.find_qualified(key.name) != nullptr) return Next::done();
  const ObjectPtr found = store_.get(key);
  if (!found) {
    waiting_.erase(key);
    if (served_.erase(key.name) > 0) {
      for (const Key& waiting : std::exchange(waiting_, {})) loop_.add(waiting);
    }
    registry_.remove_custom(key.name);
    return Next::done();
  }
  const json definition = found->parse();
  return is_being_deleted(definition) ? finish(key, definition) : serve(key, definition);
}

void CustomKinds::put(const Key& key, const json& definition, bool terminating) {
  const std::int64_t generation = terminating ? -1 : generation_of(definition);
  const auto known = served_.find(key.name);
  if (known != served_.end() && known->second == generation) return;
  registry_.put_custom(std::make_shared<const CustomResource>(definition, terminating));
  served_[key.name] = generation;
}

std::optional<std::string> CustomKinds::name_conflict(const json& definition) const {
  const ResourceInfo own = CustomResource(definition).info();
  const std::set<std::string> names = names_of(own);
  for (const ResourcePtr& other : registry_.all()) {
    const ResourceInfo& info = other->info();
    if (info.group != own.group || info.plural == own.plural) continue;
    if (info.kind == own.kind) return field::quoted(own.kind) + " is already in use";
    if (names.contains(info.plural)) return field::quoted(info.plural) + " is already in use";
    if (names.contains(info.singular)) return field::quoted(info.singular) + " is already in use";
    for (const std::string& name : info.short_names) {
      if (names.contains(name)) return field::quoted(name) + " is already in use";
    }
  }
  return std::nullopt;
}

Next CustomKinds::serve(const Key& key, const json& definition) {
  const auto conflict = name_conflict(definition);
  const bool room = served_.contains(key.name) || served_.size() < kMostCustomKinds;
  const bool accepted = !conflict && room;
  if (!room) waiting_.insert(key);
  if (accepted) put(key, definition, false);
  const std::string unserved = unserved_parts(definition);
  const std::string now = format_time(now_seconds());
  const auto tell = [&](const json& current) -> json {
    json told = current;
    add_finalizer(told, kCleanup);
    if (generation_of(current) != generation_of(definition)) return told;  // comes again
    note_stored_version(told);
    if (!conflict) {
      kube::set_condition(
          told, {"NamesAccepted", "True", "NoConflicts", "no conflicts found", kube::ConditionForm::plain}, now);
      told["status"]["acceptedNames"] = told["spec"]["names"];
    } else {
      kube::set_condition(told, {"NamesAccepted", "False", "NameConflict", *conflict, kube::ConditionForm::plain}, now);
    }
    if (accepted) {
      kube::set_condition(told,
                          {"Established", "True", "InitialNamesAccepted", "the initial names have been accepted",
                           kube::ConditionForm::plain},
                          now);
    } else if (!served_.contains(key.name)) {
      const std::string why = room ? "not all names are accepted" : "this server makes no more kinds from definitions";
      kube::set_condition(
          told, {"Established", "False", room ? "NotAccepted" : "TooManyDefinitions", why, kube::ConditionForm::plain},
          now);
    }
    if (unserved.empty()) {
      kube::remove_condition(told, "PartlyServed");
    } else {
      kube::set_condition(told, {"PartlyServed", "True", "NotSupported", unserved, kube::ConditionForm::plain}, now);
    }
    return told;
  };
  const auto outcome = writer_.update(*registry_.find_qualified(kCustomResourceDefinition), key, extensions_user(),
                                      {.whole = true}, tell);
  return outcome ? Next::done() : Next::failure(outcome.error());
}

Next CustomKinds::finish(const Key& key, const json& definition) {
  if (!has_finalizer(definition, kCleanup)) return Next::done();
  const Resource& definitions = *registry_.find_qualified(kCustomResourceDefinition);
  put(key, definition, true);  // deletes and reads go on, nothing new is made
  const std::string now = format_time(now_seconds());
  std::size_t left = 0;
  if (const ResourcePtr kind = registry_.find_stored(key.name)) {
    for (const ObjectPtr& object : store_.list(key.name, "").objects) {
      const auto deletion = writer_.remove(*kind, object->key, {});
      const bool gone = deletion ? deletion->gone : deletion.error().code == 404;
      left += gone ? 0 : 1;
    }
  }
  const auto tell = [&](const json& current) -> json {
    json told = current;
    if (left == 0) {
      remove_finalizer(told, kCleanup);
      return told;
    }
    kube::set_condition(told,
                        {"Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress",
                         kube::ConditionForm::plain},
                        now);
    return told;
  };
  const auto outcome = writer_.update(definitions, key, extensions_user(), {.whole = true}, tell);
  if (!outcome) return Next::failure(outcome.error());
  return left == 0 ? Next::done() : Next::after(kPauseOfCleanup);
}

}  // namespace usbloop::apiserver
