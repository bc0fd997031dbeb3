#include "kube-sim/objects/managed_fields/conflicts.h"

#include <map>
#include <set>

#include "kube-sim/resources/resource.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// `"kubectl" with subresource "status" using v1`
std::string shown(const Manager& manager) {
  std::string text = field::quoted(manager.name);
  if (!manager.subresource.empty()) text += " with subresource " + field::quoted(manager.subresource);
  if (!manager.applies) text += " using " + manager.api_version;
  return text;
}

std::string message_of(const std::map<std::string, std::vector<std::string>>& paths, std::size_t count) {
  if (count == 1) {
    return "Apply failed with 1 conflict: conflict with " + paths.begin()->first + ": " + paths.begin()->second.front();
  }
  std::string text = "Apply failed with " + std::to_string(count) + " conflicts: ";
  bool first = true;
  for (const auto& [manager, fields] : paths) {
    text += (first ? "conflicts with " : "\nconflicts with ") + manager + ":";
    for (const std::string& field : fields) text += "\n- " + field;
    first = false;
  }
  return text;
}

/// What is wrong with the items of a keyed list at `path`.
std::string fault_of(const json& list, const std::string& path, const MergeSchema& schema) {
  const std::string prefix = "failed to create typed patch object: " + path + ": ";
  std::set<std::string> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string step = step_to_item(list[i], i, schema);
    if (!seen.insert(step).second) return prefix + "duplicate entries for key " + step.substr(2);
    if (schema.kind() != MergeSchema::Kind::keyed || step[0] != 'i') continue;
    std::string lacking;
    for (const std::string& key : schema.keys()) {
      if (list[i].is_object() && !list[i].contains(key) && lacking.empty()) lacking = key;
    }
    return prefix + "element " + std::to_string(i) +
           ": associative list with keys has an element that omits key field " + field::quoted(lacking);
  }
  return {};
}

std::string first_fault(const json& value, const std::string& path, const MergeSchema* schema) {
  if (schema == nullptr) return {};
  if (value.is_object()) {
    for (const auto& [name, child] : value.items()) {
      if (std::string fault = first_fault(child, path + "." + name, schema->field(name)); !fault.empty()) return fault;
    }
  } else if (value.is_array() && schema->kind() != MergeSchema::Kind::by_rule) {
    if (schema->kind() != MergeSchema::Kind::atomic) {
      if (std::string fault = fault_of(value, path, *schema); !fault.empty()) return fault;
    }
    for (const json& item : value) {
      if (std::string fault = first_fault(item, path, schema->items()); !fault.empty()) return fault;
    }
  }
  return {};
}

}  // namespace

std::vector<Conflict> find_conflicts(const Managers& managers, const Comparison& changes, const Manager& self) {
  FieldSet changed = changes.added;
  changed.unite(changes.modified);
  std::vector<Conflict> conflicts;
  for (const Managers::Entry& entry : managers.entries()) {
    if (entry.manager.is(self)) continue;
    FieldSet fields = entry.fields;
    fields.intersect(changed);
    if (!fields.empty()) conflicts.push_back({entry.manager, std::move(fields)});
  }
  return conflicts;
}

kube::Status conflict_status(const std::vector<Conflict>& conflicts) {
  kube::Status status;
  status.code = 409;
  status.reason = "Conflict";
  std::map<std::string, std::vector<std::string>> paths;
  for (const Conflict& conflict : conflicts) {
    auto& fields = paths[shown(conflict.manager)];
    for (std::string& path : conflict.fields.paths()) fields.push_back(std::move(path));
  }
  for (const auto& [manager, fields] : paths) {
    for (const std::string& field : fields) {
      status.causes.push_back({"FieldManagerConflict", "conflict with " + manager, field});
    }
  }
  status.message = message_of(paths, status.causes.size());
  return status;
}

std::optional<kube::Status> refuse_ambiguous_items(const json& configuration, const MergeSchema& schema) {
  const std::string fault = first_fault(configuration, "", &schema);
  if (fault.empty()) return std::nullopt;
  return kube::bad_request(fault);
}

}  // namespace usbloop::apiserver
