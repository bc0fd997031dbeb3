#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kube-sim/objects/managed_fields/field_set.h"

namespace usbloop::apiserver {

/// Who writes, and how: what tells the entries of metadata.managedFields apart.
struct Manager {
  std::string name;
  bool applies = false;     ///< operation Apply, else Update
  std::string api_version;  ///< in which the fields are named; not part of an applying manager's identity
  std::string subresource;  ///< empty: the object itself
  [[nodiscard]] bool is(const Manager& other) const;
};

/// metadata.managedFields. Value type.
class Managers {
 public:
  struct Entry {
    Manager manager;
    std::string time;  ///< of the last write that changed what the manager owns; RFC 3339
    FieldSet fields;
  };

  /// Nothing when the list holds what no server writes: then it says nothing about the object.
  static std::optional<Managers> from_json(const nlohmann::json& list);
  /// Sorted as kube-apiserver sorts.
  [[nodiscard]] nlohmann::json to_json() const;

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// Null when the manager owns nothing.
  [[nodiscard]] const Entry* find(const Manager& manager) const;
  /// Replaces what the manager owns.
  void set(const Manager& manager, const std::string& time, FieldSet fields);
  /// Takes the fields from every manager but this one; managers that own nothing any more go.
  void take_from_others(const FieldSet& fields, const Manager& manager);
  /// What all managers own, or all but one.
  [[nodiscard]] FieldSet owned(const Manager* without = nullptr) const;
  /// Joins the oldest updating managers into one while there are too many: each client may invent names.
  void cap();

 private:
  void drop_empty();
  std::vector<Entry> entries_;
};

}  // namespace usbloop::apiserver
