#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kube-sim/schema/field_path.h"

namespace usbloop::apiserver {

/// The value of one column of a table, as a schema file says it (kube-sim/resources/schemas/README.md): a path
/// (".spec.type"), a path and what stands for an absent value (".spec.type|ClusterIP"), or a function of paths
/// ("count(.data,.binaryData)"). Value type.
class CellFormula {
 public:
  /// Throws std::logic_error on a mistake in the text. Empty: a cell that code fills.
  explicit CellFormula(const std::string& text);

  /// `now`: seconds since 1970.
  [[nodiscard]] nlohmann::json value(const nlohmann::json& object, std::int64_t now) const;

  /// Appends value().dump() of the object that this text is, without reading it into a tree. Means nothing when the
  /// text is broken() afterwards, or is_text() is false.
  void append_text(std::string& cells, ObjectText& object, std::int64_t now) const;
  /// False for a cell that code fills, and for paths that are too long for that.
  [[nodiscard]] bool is_text() const;

  using Function = nlohmann::json (*)(const std::vector<std::vector<const nlohmann::json*>>& arguments,
                                      std::int64_t now);

 private:
  void append_result(std::string& cells, ObjectText& object, std::int64_t now) const;

  Function function_ = nullptr;
  std::vector<FieldPath> paths_;
  nlohmann::json absent_ = "";
  std::string absent_text_ = "\"\"";
};

/// A label selector as kubectl prints it: "a=b,c in (d,e)"; "<none>" when it selects everything.
std::string selector_text(const nlohmann::json& selector);

}  // namespace usbloop::apiserver
