#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kube-sim/resources/resource.h"
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

/// The same row's text, quicker: what the cells do not look at is not read, and the metadata is passed on as it stands.
/// `api_version`: the one that the object is shown in.
std::string row_text(const Resource& resource, const Object& object, const std::string& api_version,
                     const TableOptions& options, std::int64_t now);

/// "Object", "Metadata", "None" or empty (Metadata); nothing for other texts.
std::optional<IncludeObject> parse_include_object(const std::string& text);
/// 400 for those.
kube::Status unknown_include_object(const std::string& text);

}  // namespace usbloop::apiserver
