#include "kube-sim/objects/table.h"

#include "kube-sim/schema/field_error.h"
#include "kube-sim/schema/json_members.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

json column_json(const Column& column) {
  return {{"name", column.name},
          {"type", column.type},
          {"format", column.format},
          {"description", column.description},
          {"priority", column.priority}};
}

json row_object(json object, const TableOptions& options) {
  if (options.include == IncludeObject::object) return object;
  json part = {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/" + options.meta_version}};
  part["metadata"] = object.contains("metadata") ? std::move(object["metadata"]) : json::object();
  return part;
}

/// The text of the member where it stands.
std::optional<std::string_view> text_of(const std::vector<JsonMember>& members, std::string_view wanted) {
  for (const auto& [name, value] : members) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

std::string row_of_tree(const Resource& resource, const Object& object, const std::string& api_version,
                        const TableOptions& options, std::int64_t now) {
  json tree = object.parse();
  tree["apiVersion"] = api_version;
  return make_row(resource, std::move(tree), options, now).dump();
}

}  // namespace

json make_table(const Resource& resource, const json& metadata, const TableOptions& options) {
  json table = {{"kind", "Table"},
                {"apiVersion", "meta.k8s.io/" + options.meta_version},
                {"metadata", metadata},
                {"columnDefinitions", json::array()},
                {"rows", json::array()}};
  if (options.with_columns) {
    for (const Column& column : resource.columns()) table["columnDefinitions"].push_back(column_json(column));
  }
  return table;
}

json make_row(const Resource& resource, json object, const TableOptions& options, std::int64_t now) {
  json row = {{"cells", resource.cells(object, now)}};
  if (options.include != IncludeObject::none) row["object"] = row_object(std::move(object), options);
  return row;
}

std::string row_text(const Resource& resource, const Object& object, const std::string& api_version,
                     const TableOptions& options, std::int64_t now) {
  const FieldProjection* fields = options.include == IncludeObject::object ? nullptr : resource.cell_fields();
  const auto members = fields == nullptr ? std::nullopt : json_members(object.text);
  const auto seen = members ? fields->read(*members) : std::nullopt;
  const auto metadata = members ? text_of(*members, "metadata") : std::nullopt;
  if (!seen || !metadata) return row_of_tree(resource, object, api_version, options, now);
  std::string row = R"({"cells":)" + resource.cells(*seen, now).dump();
  if (options.include == IncludeObject::metadata) {
    row += R"(,"object":{"apiVersion":"meta.k8s.io/)" + options.meta_version +
           R"(","kind":"PartialObjectMetadata","metadata":)";
    row.append(*metadata) += '}';
  }
  return row += '}';
}

std::optional<IncludeObject> parse_include_object(const std::string& text) {
  if (text == "Object") return IncludeObject::object;
  if (text == "None") return IncludeObject::none;
  if (text == "Metadata" || text.empty()) return IncludeObject::metadata;
  return std::nullopt;
}

kube::Status unknown_include_object(const std::string& text) {
  return kube::bad_request("Unable to convert to Table as requested: includeObject: Invalid value: " +
                           field::quoted(text) + ": must be 'Metadata', 'Object', 'None', or empty");
}

}  // namespace usbloop::apiserver
