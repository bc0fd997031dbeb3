#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace usbloop::apiserver {

struct Schema;

/// How the value at one place of an object is merged and owned: the x-kubernetes-list-type, -list-map-keys and
/// -map-type of a schema. Only what differs from the rule is written down. The rule: objects are granular (each field
/// has owners of its own), lists are atomic (owned and replaced as a whole).
class MergeSchema {
 public:
  enum class Kind {
    by_rule,
    atomic,
    set,    ///< list of scalars, each with owners of its own
    keyed,  ///< list of objects that are told apart by some of their fields
    open    ///< object of which the schema declares no fields: whoever applies one owns the field itself too
  };

  /// Each line: a path ("spec.containers[].ports", "[]" steps into the items) and "atomic", "set", "open" or the key
  /// fields
  /// ("containerPort,protocol").
  explicit MergeSchema(const std::vector<std::string_view>& lines = {});

  /// What the fields of a type say.
  static MergeSchema of(const Schema& schema);
  /// What an OpenAPI schema says, of a CustomResourceDefinition.
  static MergeSchema of_openapi(const nlohmann::json& schema);

  [[nodiscard]] Kind kind() const { return kind_; }
  /// By the alphabet.
  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }
  /// Of a keyed list: the first key that was named, by which strategic merge patches tell the items apart.
  [[nodiscard]] const std::string& patch_key() const { return patch_key_; }
  /// For a field of an object. Null: the rule holds from there on.
  [[nodiscard]] const MergeSchema* field(const std::string& name) const;
  /// For the items of a list; null as above.
  [[nodiscard]] const MergeSchema* items() const { return items_.get(); }

 private:
  void add(std::string_view line);
  void set_how(std::string_view how);
  [[nodiscard]] bool says_nothing() const { return kind_ == Kind::by_rule && fields_.empty() && !items_; }
  void read(const Schema& schema, int depth);
  void read_openapi(const nlohmann::json& schema, int depth);

  Kind kind_ = Kind::by_rule;
  std::vector<std::string> keys_;
  std::string patch_key_;
  std::map<std::string, MergeSchema, std::less<>> fields_;
  std::unique_ptr<MergeSchema> items_;
};

}  // namespace usbloop::apiserver
