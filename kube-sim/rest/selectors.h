#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "kube-sim/store/object.h"

// Label and field selectors of list and watch requests.
namespace usbloop::apiserver {

/// One term of a selector.
struct Requirement {
  enum class Operator { in, not_in, exists, does_not_exist, greater, less };
  std::string key;
  Operator op = Operator::exists;
  std::vector<std::string> values;
};

/// All requirements must hold; none always holds. Value type.
class Selector {
 public:
  /// "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>5". The error is the text for the client.
  static tl::expected<Selector, std::string> parse_labels(std::string_view text);
  /// "metadata.name=x,status.phase!=y"; the values may escape ',', '=' and '\' with a backslash.
  static tl::expected<Selector, std::string> parse_fields(std::string_view text);

  [[nodiscard]] bool matches(const Fields& fields) const;
  [[nodiscard]] const std::vector<Requirement>& requirements() const { return requirements_; }

 private:
  std::vector<Requirement> requirements_;
  bool absent_is_empty_ = false;  ///< field selectors take an absent field as ""; label selectors do not
};

/// Both selectors of a request.
struct Selection {
  Selector labels;
  Selector fields;
  [[nodiscard]] bool matches(const Object& object) const {
    return labels.matches(object.labels) && fields.matches(object.fields);
  }
};

}  // namespace usbloop::apiserver
