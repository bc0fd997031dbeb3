#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace usbloop::apiserver {

struct Schema;

/// What a field must keep to beyond its type: a rule in CEL of one of three forms.
struct SchemaRule {
  enum class Form { begins_with, lacks, is_true };

  Form form = Form::is_true;
  std::string text;     ///< what the value begins with or lacks
  std::string rule;     ///< in CEL, as it is published
  std::string message;  ///< why a value is refused
};

/// One field of an object.
struct SchemaField {
  std::string name;
  const Schema* schema = nullptr;
  bool required = false;   ///< may be neither absent nor null
  bool defaulted = false;  ///< of required ones: the server adds it where it is absent
  std::string description;
  std::uint32_t number = 0;  ///< in Kubernetes' protobuf messages; 0: not sent there
  bool keeps_zero = false;   ///< in such a message, 0, false and "" are values; else the field is absent then
  std::string merge = {};    ///< how it is merged, if not by the rule: "atomic", "set" or key fields (merge_schema.h)
  bool nullable = false;     ///< of custom kinds: null is published as a value (all nulls count as absent here)
  bool no_twins = false;     ///< of custom kinds' lists that are merged by keys or as sets: no two items are the same
  std::vector<SchemaRule> rules = {};
};

/// What a value may be, and what it means. The one source of validation, of unknown fields, and of the OpenAPI
/// documents. Nodes belong to a SchemaSet and are immutable.
struct Schema {
  enum class Type { object, map, array, string, boolean, integer, number, int_or_string, quantity, time };

  Type type = Type::object;
  std::string name;                     ///< of objects: "Devices"; empty: any object
  std::string package;                  ///< of objects: "io.k8s.api.core.v1"
  std::string description;              ///< of objects
  std::string format;                   ///< "int32", "int64", "byte", …; may be empty
  std::vector<SchemaField> fields;      ///< of objects
  const Schema* element = nullptr;      ///< of arrays and maps
  std::vector<std::string> allowed;     ///< of strings: the only values; empty: any
  std::optional<std::int64_t> minimum;  ///< of integers
  std::optional<std::int64_t> maximum;  ///< of integers
  bool natural = false;                 ///< of integers: negative ones are refused, which no document says
  std::optional<std::size_t> most;      ///< items of an array, or characters of a string
  bool null_items = false;              ///< of arrays: an item may be null
  std::string pattern;                  ///< of strings (linear_regex.h); may be empty
  bool open = false;                    ///< of objects: may hold fields that are not listed, which are kept
  bool microseconds = false;            ///< of times

  /// Fields that stand in the object itself, while in protobuf they are a message of their own with that number.
  struct Inlined {
    std::uint32_t number = 0;
    const Schema* schema = nullptr;
  };
  std::vector<Inlined> inlined;

  /// Null when there is no such field.
  [[nodiscard]] const SchemaField* field(std::string_view wanted) const;
};

}  // namespace usbloop::apiserver
