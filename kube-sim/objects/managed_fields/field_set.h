#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace usbloop::apiserver {

/// A set of places in an object, as a tree. A step is in the form of FieldsV1: "f:name" (field), "k:{"type":"Ready"}"
/// (list item by its keys), "v:"x"" (item of a set), "i:3" (item by position). Value type.
class FieldSet {
 public:
  bool self = false;  ///< whether the place itself belongs to the set
  std::map<std::string, FieldSet> children;

  [[nodiscard]] bool empty() const { return !self && children.empty(); }
  /// Null when nothing of the set is there or below.
  [[nodiscard]] const FieldSet* at(const std::string& step) const;
  /// Takes a place and all below it out.
  void erase(const std::vector<std::string>& path);
  /// Drops branches that hold no place.
  void prune();

  void unite(const FieldSet& other);
  void subtract(const FieldSet& other);
  void intersect(const FieldSet& other);

  /// ".spec.ports[containerPort=80,protocol="TCP"].name" of each place.
  [[nodiscard]] std::vector<std::string> paths() const;

  /// FieldsV1: a field that is a leaf has the value {}, one that stands for itself and for places below has "." in it.
  [[nodiscard]] nlohmann::json to_json() const;
  /// Nothing when the tree is no FieldsV1. Trees are no deeper than documents may be.
  static std::optional<FieldSet> from_json(const nlohmann::json& tree);

  bool operator==(const FieldSet&) const = default;
};

}  // namespace usbloop::apiserver
