#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube-sim/schema/json_members.h"

namespace usbloop::apiserver {

/// The few fields of an object that somebody looks at, by which they are read out of its text without the rest. Value
/// type.
class FieldProjection {
 public:
  /// Adds the field at these names, whole; no names: the object itself.
  void add(const std::vector<std::string>& names);

  /// The object with the added fields alone. Nothing when the text is not as our writer makes it: then it has to be
  /// read whole.
  [[nodiscard]] std::optional<nlohmann::json> read(std::string_view text) const;
  /// The same of an object whose members are known already.
  [[nodiscard]] std::optional<nlohmann::json> read(const std::vector<JsonMember>& members) const;

 private:
  bool whole_ = false;
  std::map<std::string, FieldProjection, std::less<>> below_;
};

}  // namespace usbloop::apiserver
