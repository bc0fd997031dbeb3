#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apiserver-sim/resources/resource.h"

namespace usbloop::apiserver {

/// Checks the members of one JSON object and adds what is wrong to `causes`, in the words of CRD validation. Members
/// that are absent or null are fine unless required. The references must outlive the check.
class SchemaCheck {
 public:
  /// `path` of the object, "spec.domain"; empty for the whole.
  SchemaCheck(const nlohmann::json& object, std::string path, Causes& causes)
      : object_(object), path_(std::move(path)), causes_(causes) {}

  /// The member, or null when it is absent or of another type.
  const nlohmann::json* required_object(const char* name);
  const nlohmann::json* optional_object(const char* name);
  const nlohmann::json* optional_array(const char* name);
  void optional_string(const char* name);
  void optional_boolean(const char* name);
  void optional_positive(const char* name);
  void optional_quantity(const char* name);
  void optional_string_map(const char* name);

 private:
  const nlohmann::json* member(const char* name) const;
  [[nodiscard]] std::string field(const char* name) const;
  void wrong_type(const char* name, const nlohmann::json& value, const char* expected);

  const nlohmann::json& object_;
  std::string path_;
  Causes& causes_;
};

}  // namespace usbloop::apiserver
