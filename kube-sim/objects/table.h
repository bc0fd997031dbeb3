#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kube-sim/resources/resource.h"
#include "kube-sim/schema/object_text.h"
#include "kube-sim/store/object.h"

namespace usbloop::apiserver {

/// What a Table row carries of its object: nothing, its metadata or all of it (query parameter includeObject).
enum class IncludeObject { none, metadata, object };

struct TableOptions {
  std::string meta_version = "v1";  ///< of meta.k8s.io
  IncludeObject include = IncludeObject::metadata;
  bool with_columns = true;  ///< false: later events of a watch
};

/// meta.k8s.io Table without rows; `metadata` is that of the list or of the one object. wire.md section 6.
nlohmann::json make_table(const Resource& resource, const nlohmann::json& metadata, const TableOptions& options);
/// The row of an object.
nlohmann::json make_row(const Resource& resource, nlohmann::json object, const TableOptions& options, std::int64_t now);

/// Writes the rows of a table as text, quicker than make_row(): what the cells do not look at is not read, and the
/// metadata is passed on as it stands. For one thread; the resource outlives it.
class RowWriter {
 public:
  /// `api_version`: the one that the objects are shown in. `now`: seconds since 1970.
  RowWriter(const Resource& resource, std::string api_version, const TableOptions& options, std::int64_t now);
  /// Appends the object's row.
  void append(std::string& rows, const Object& object);

 private:
  bool append_quickly(std::string& rows, const Object& object);

  const Resource& resource_;
  std::string api_version_;
  TableOptions options_;
  std::int64_t now_;
  bool quick_;
  std::string before_metadata_;
  ObjectText text_;
};

/// "Object", "Metadata", "None" or empty (Metadata); nothing for other texts.
std::optional<IncludeObject> parse_include_object(const std::string& text);
/// 400 for those.
kube::Status unknown_include_object(const std::string& text);

}  // namespace usbloop::apiserver
