#include "kube-sim/objects/answer.h"

#include "common/timestamp.h"
#include "kube-sim/objects/table.h"
#include "kube-sim/objects/yaml.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// How the text of a list ends, and that of a table: "rows" is the last of its keys.
constexpr std::string_view kListEnd = "]}";
/// For what stands before a list in the response, and for a row's cells.
constexpr std::size_t kHeadRoom = 1024;
constexpr std::size_t kCellsRoom = 128;

json object_tree(const View& view, const Object& object) {
  json tree = object.parse();
  tree["apiVersion"] = view.resource.api_version(view.version);
  return tree;
}

json metadata_tree(const View& view, const Object& object) {
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/" + view.representation.meta_version},
          {"metadata", object.parse().value("metadata", json::object())}};
}

/// Gives the answer the form that the client asked for beside its shape.
Response finish(const View& view, Response response) {
  if (view.representation.yaml) {
    response.body = json_to_yaml(nlohmann::ordered_json::parse(response.body));
    response.content_type = "application/yaml";
  } else if (view.pretty) {
    response.body = nlohmann::ordered_json::parse(response.body).dump(2) + "\n";
  }
  const ResourceInfo& info = view.resource.info();
  if (view.version != info.version && !info.other_versions_warning.empty()) {
    response.headers.emplace_back("Warning", "299 - \"" + info.other_versions_warning + "\"");
  }
  return response;
}

json list_meta(const ListMeta& meta) {
  json tree = {{"resourceVersion", std::to_string(meta.version)}};
  if (meta.continue_.empty()) return tree;
  tree["continue"] = meta.continue_;
  if (meta.remaining_item_count) tree["remainingItemCount"] = *meta.remaining_item_count;
  return tree;
}

/// Row by row: the trees of a long list are many times its text.
Response answer_table(const View& view, int code, const std::vector<const Object*>& objects, const ListMeta& meta) {
  const auto include = parse_include_object(view.include_object);
  if (!include) return answer_status(unknown_include_object(view.include_object));
  const TableOptions options{view.representation.meta_version, *include, true};
  std::string body = make_table(view.resource, list_meta(meta), options).dump();
  body.resize(body.size() - kListEnd.size());
  // At once: a text that grows is copied into ever new memory. What is too much is never touched.
  std::size_t size = body.size() + kHeadRoom;
  for (const Object* object : objects) size += object->text.size() + kCellsRoom;
  body.reserve(size);
  RowWriter rows(view.resource, view.resource.api_version(view.version), options, now_seconds());
  for (const Object* object : objects) {
    if (object != objects.front()) body += ',';
    rows.append(body, *object);
  }
  return finish(view, answer_json(code, std::move(body.append(kListEnd))));
}

}  // namespace

Response answer_status(const kube::Status& status) {
  Response response = answer_json(status.code, kube::body(status));
  if (status.retry_after_seconds > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(status.retry_after_seconds));
  }
  return response;
}

Response answer_json(int code, std::string body) {
  Response response;
  response.code = code;
  response.body = std::move(body);
  if (!response.body.empty() && response.body.back() != '\n') response.body += '\n';
  return response;
}

View make_view(const Request& request, const RequestInfo& info, const Resource& resource) {
  return {resource, info.version, negotiate(request.accept), request.parameter("includeObject"), request.flag("pretty"),
          nullptr};
}

std::string object_text(const View& view, const Object& object) {
  if (view.version == view.resource.info().version) return object.text;
  return object_tree(view, object).dump();
}

std::string item_text(const View& view, const Object& object) {
  return view.representation.metadata_only ? metadata_tree(view, object).dump() : object_text(view, object);
}

Response answer_object(const View& view, int code, const Object& object) {
  if (view.representation.table) {
    return answer_table(view, code, {&object}, {object.version, {}, {}});
  }
  return finish(view, answer_json(code, item_text(view, object)));
}

Response answer_list(const View& view, const std::vector<ObjectPtr>& objects, const ListMeta& meta) {
  if (view.representation.table) {
    std::vector<const Object*> rows;
    for (const ObjectPtr& object : objects) rows.push_back(object.get());
    return answer_table(view, 200, rows, meta);
  }
  const bool partial = view.representation.metadata_only;
  const std::string kind = partial ? "PartialObjectMetadata" : view.resource.info().kind;
  const std::string version =
      partial ? "meta.k8s.io/" + view.representation.meta_version : view.resource.api_version(view.version);
  std::string body = R"({"kind":")" + kind + R"(List","apiVersion":")" + version + R"(","metadata":)" +
                     list_meta(meta).dump() + R"(,"items":[)";
  std::size_t size = body.size() + kListEnd.size() + kHeadRoom;
  for (const ObjectPtr& object : objects) size += object->text.size() + 1;
  body.reserve(size);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (i > 0) body += ',';
    body += item_text(view, *objects[i]);
  }
  return finish(view, answer_json(200, std::move(body.append(kListEnd))));
}

}  // namespace usbloop::apiserver
