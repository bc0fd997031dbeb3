#include "apiserver-sim/api/answer.h"

#include "apiserver-sim/api/table.h"
#include "apiserver-sim/api/time.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

json object_tree(const View& view, const Object& object) {
  json tree = object.parse();
  tree["apiVersion"] = view.resource.api_version(view.version);
  return tree;
}

void add_deprecation(const View& view, Response& response) {
  const ResourceInfo& info = view.resource.info();
  if (info.group != "kubevirt.io" || view.version == info.version) return;
  response.headers.emplace_back("Warning", "299 - \"kubevirt.io/" + view.version +
                                               " is now deprecated and will be removed in a future release.\"");
}

Response answer_table(const View& view, int code, const std::vector<json>& objects, const std::string& version) {
  const TableOptions options{view.representation.table_version, parse_include_object(view.include_object), true};
  Response response = answer_json(code, make_table(view.resource, objects, version, options, now_seconds()).dump());
  add_deprecation(view, response);
  return response;
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
  return {resource, info.version, negotiate(request.accept, true), request.parameter("includeObject")};
}

std::string object_text(const View& view, const Object& object) {
  if (view.version == view.resource.info().version) return object.text;
  return object_tree(view, object).dump();
}

Response answer_object(const View& view, int code, const Object& object) {
  if (view.representation.table) {
    return answer_table(view, code, {object_tree(view, object)}, std::to_string(object.version));
  }
  Response response = answer_json(code, object_text(view, object));
  add_deprecation(view, response);
  return response;
}

Response answer_list(const View& view, const std::vector<ObjectPtr>& objects, std::uint64_t list_version) {
  if (view.representation.table) {
    std::vector<json> trees;
    trees.reserve(objects.size());
    for (const ObjectPtr& object : objects) trees.push_back(object_tree(view, *object));
    return answer_table(view, 200, trees, std::to_string(list_version));
  }
  std::string body = "{\"kind\":\"" + view.resource.info().kind + "List\",\"apiVersion\":\"" +
                     view.resource.api_version(view.version) + "\",\"metadata\":{\"resourceVersion\":\"" +
                     std::to_string(list_version) + "\"},\"items\":[";
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (i > 0) body += ',';
    body += object_text(view, *objects[i]);
  }
  Response response = answer_json(200, body + "]}");
  add_deprecation(view, response);
  return response;
}

}  // namespace usbloop::apiserver
