#include "kube-sim/objects/table.h"

#include "kube-sim/schema/field_error.h"

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

RowWriter::RowWriter(const Resource& resource, std::string api_version, const TableOptions& options, std::int64_t now)
    : resource_(resource),
      api_version_(std::move(api_version)),
      options_(options),
      now_(now),
      quick_(resource.has_text_cells() && options.include != IncludeObject::object),
      before_metadata_(R"(,"object":{"apiVersion":"meta.k8s.io/)" + options.meta_version +
                       R"(","kind":"PartialObjectMetadata","metadata":)") {}

void RowWriter::append(std::string& rows, const Object& object) {
  const std::size_t begin = rows.size();
  if (quick_ && append_quickly(rows, object)) return;
  rows.resize(begin);
  json tree = object.parse();
  tree["apiVersion"] = api_version_;
  rows += make_row(resource_, std::move(tree), options_, now_).dump();
}

/// False when the object has to be read as a tree.
bool RowWriter::append_quickly(std::string& rows, const Object& object) {
  text_.begin(object.text);
  const std::string_view metadata = text_.find("metadata");
  if (metadata.empty()) return false;
  rows += R"({"cells":)";
  resource_.append_cells(rows, text_, now_);
  if (options_.include == IncludeObject::metadata) rows.append(before_metadata_).append(metadata) += '}';
  rows += '}';
  return !text_.broken();
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
