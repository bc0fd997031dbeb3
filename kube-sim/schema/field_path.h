#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube-sim/schema/object_text.h"

namespace usbloop::apiserver {

/// The part of JSONPath that printer columns and scale subresources use: ".spec.a", ".a[0]", ".a[*].b", ".a[].b",
/// `.a['b.c']`, ".a.b\.c", `.conditions[?(@.type=="Ready")].status`. Value type.
class FieldPath {
 public:
  /// Nothing for what is no such path or longer than 1,024 bytes.
  static std::optional<FieldPath> parse(std::string_view text);

  /// All that is there, in the order of the object, at most 1,000.
  [[nodiscard]] std::vector<const nlohmann::json*> select(const nlohmann::json& object) const;
  /// The first of them, or null.
  [[nodiscard]] const nlohmann::json* first(const nlohmann::json& object) const;
  /// What select() finds, where it stands in the object's text. Means nothing when the text is broken() afterwards.
  [[nodiscard]] std::vector<std::string_view> select_text(ObjectText& object) const;
  /// The first of them, or empty.
  [[nodiscard]] std::string_view first_text(ObjectText& object) const;
  /// Whether the path is short enough for these two.
  [[nodiscard]] bool fits_text() const { return steps_.size() <= kMostTextSteps; }
  /// Puts the value at a path of names alone, and makes the objects on the way. False when something else is in the
  /// way or the path has other steps.
  bool put(nlohmann::json& object, const nlohmann::json& value) const;
  /// Whether each step is a name.
  [[nodiscard]] bool names_only() const;

 private:
  struct Step {
    enum class Kind { name, index, all, filter };
    Kind kind = Kind::name;
    std::string name;  ///< of a filter: the member that is compared
    std::size_t index = 0;
    std::string value;  ///< of a filter
    // As they are written in a text: the name without its quotes, the value if it is a string.
    std::string written_name;
    std::string written_value;
  };
  class TextWalk;
  void walk_text(ObjectText& object, TextWalk& walk) const;
  static constexpr std::size_t kMostTextSteps = 16;
  static constexpr std::size_t kMostResults = 1000;  ///< of each step
  /// The value at the leading names, or null; `step` becomes the first step behind them.
  const nlohmann::json* walk_names(const nlohmann::json& object, std::size_t& step) const;

  std::vector<Step> steps_;
};

}  // namespace usbloop::apiserver
