#include "kube-sim/documents/paths.h"

#include <algorithm>
#include <vector>

namespace usbloop::apiserver {
namespace {

using nlohmann::ordered_json;

struct QueryParameter {
  const char* name;
  const char* type;
  const char* description;
};

constexpr QueryParameter kDryRun = {"dryRun", "string", "All: everything is checked, but nothing is stored."};
constexpr QueryParameter kFieldManager = {"fieldManager", "string",
                                          "Name of the program that writes, which managedFields notes."};
constexpr QueryParameter kFieldValidation = {
    "fieldValidation", "string", "What to do about unknown and repeated fields: Ignore, Warn (the default) or Strict."};
constexpr QueryParameter kForce = {"force", "boolean",
                                   "Whether an apply takes fields over from other managers. Not for other patches."};
constexpr QueryParameter kGracePeriod = {"gracePeriodSeconds", "integer", "Seconds for a clean end. 0: none."};
constexpr QueryParameter kPropagation = {"propagationPolicy", "string",
                                         "What becomes of owned objects: Background, Foreground or Orphan."};
constexpr QueryParameter kResourceVersion = {"resourceVersion", "string",
                                             "Version of the store from which the list or watch begins."};
constexpr QueryParameter kLabelSelector = {"labelSelector", "string",
                                           "Restricts the answer to objects with these labels, such as app=web."};
constexpr QueryParameter kFieldSelector = {
    "fieldSelector", "string", "Restricts the answer to objects with these fields, such as metadata.name=web."};
constexpr QueryParameter kLimit = {"limit", "integer", "Most objects in the answer. The next page has the others."};
constexpr QueryParameter kContinue = {"continue", "string", "Token of the page before, to ask for the next one."};
constexpr QueryParameter kWatch = {"watch", "boolean", "Whether changes are sent as they happen."};
constexpr QueryParameter kTimeout = {"timeoutSeconds", "integer", "Seconds after which the answer ends."};

/// One verb of Kubernetes as an operation of HTTP.
struct Verb {
  const char* name;
  const char* method;
  const char* action;  ///< x-kubernetes-action
  std::vector<QueryParameter> parameters;
  const char* body;  ///< "kind", a type of meta.k8s.io/v1, or none
  const char* answer;
};

const std::vector<Verb>& object_verbs() {
  static const std::vector<Verb> kVerbs = {
      {"get", "get", "get", {}, "", "kind"},
      {"update", "put", "put", {kDryRun, kFieldManager, kFieldValidation}, "kind", "kind"},
      {"patch", "patch", "patch", {kDryRun, kFieldManager, kFieldValidation, kForce}, "Patch", "kind"},
      {"delete", "delete", "delete", {kDryRun, kGracePeriod, kPropagation}, "DeleteOptions", "Status"}};
  return kVerbs;
}

const std::vector<Verb>& collection_verbs() {
  static const std::vector<QueryParameter> kSelection = {kContinue,        kFieldSelector, kLabelSelector, kLimit,
                                                         kResourceVersion, kTimeout,       kWatch};
  static const std::vector<Verb> kVerbs = {
      {"list", "get", "list", kSelection, "", "list"},
      {"create", "post", "post", {kDryRun, kFieldManager, kFieldValidation}, "kind", "kind"},
      {"deletecollection", "delete", "deletecollection", kSelection, "DeleteOptions", "Status"}};
  return kVerbs;
}

/// Writes the operations of one resource.
class PathWriter {
 public:
  PathWriter(const ApiGroup& group, const ApiVersion& version, OpenApiVersion form, SchemaWriter& writer)
      : group_(group), version_(version), api_version_(group.group_version(version)), form_(form), writer_(writer) {}

  ordered_json item(const ApiResource& resource, const std::vector<std::string>& verbs, const std::vector<Verb>& known,
                    const std::vector<std::string>& in_path, const std::string& id_suffix) {
    ordered_json item;
    for (const Verb& verb : known) {
      if (std::find(verbs.begin(), verbs.end(), verb.name) == verbs.end()) continue;
      item[verb.method] = operation(resource, verb, id_suffix);
    }
    if (item.empty()) return item;
    for (const std::string& name : in_path) item["parameters"].push_back(path_parameter(name));
    return item;
  }

 private:
  ordered_json schema_of(const std::string& what, const ApiResource& resource) {
    if (what == "kind") return writer_.kind_reference(api_version_, resource.kind);
    if (what == "list") return writer_.kind_reference(api_version_, resource.kind + "List");
    return writer_.meta_reference(what);
  }

  ordered_json operation(const ApiResource& resource, const Verb& verb, const std::string& id_suffix) {
    ordered_json operation = {{"operationId", verb.name + id_suffix + resource.kind}};
    ordered_json parameters = ordered_json::array();
    for (const QueryParameter& parameter : verb.parameters) parameters.push_back(query_parameter(parameter));
    const std::string body = verb.body;
    const ordered_json answer = schema_of(verb.answer, resource);
    ordered_json response = {{"description", "OK"}};
    if (form_ == OpenApiVersion::v2) {
      operation["consumes"] = media_types(verb);
      operation["produces"] = {"application/json", "application/yaml"};
      if (!body.empty()) parameters.push_back(body_parameter(schema_of(body, resource)));
      response["schema"] = answer;
    } else {
      response["content"]["application/json"]["schema"] = answer;
      if (!body.empty()) operation["requestBody"]["content"] = content(verb, schema_of(body, resource));
    }
    if (!parameters.empty()) operation["parameters"] = parameters;
    operation["responses"]["200"] = response;
    operation["x-kubernetes-action"] = verb.action;
    operation["x-kubernetes-group-version-kind"] = {
        {"group", group_.name}, {"kind", resource.kind}, {"version", version_.version}};
    return operation;
  }

  static std::vector<std::string> media_types(const Verb& verb) {
    if (std::string(verb.name) != "patch") return {"application/json", "application/yaml"};
    return {"application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"};
  }

  static ordered_json content(const Verb& verb, const ordered_json& schema) {
    ordered_json content;
    for (const std::string& type : media_types(verb)) content[type]["schema"] = schema;
    return content;
  }

  static ordered_json body_parameter(const ordered_json& schema) {
    return {{"name", "body"}, {"in", "body"}, {"required", true}, {"schema", schema}};
  }

  ordered_json query_parameter(const QueryParameter& parameter) const {
    return simple_parameter(parameter.name, "query", parameter.type, parameter.description, false);
  }

  ordered_json path_parameter(const std::string& name) const {
    const char* description = name == "namespace" ? "Name of the namespace." : "Name of the object.";
    return simple_parameter(name, "path", "string", description, true);
  }

  ordered_json simple_parameter(const std::string& name, const char* in, const char* type, const char* description,
                                bool required) const {
    ordered_json written = {{"name", name}, {"in", in}, {"description", description}};
    if (required) written["required"] = true;
    if (form_ == OpenApiVersion::v2) {
      written["type"] = type;
      written["uniqueItems"] = true;
    } else {
      written["schema"] = {{"type", type}, {"uniqueItems", true}};
    }
    return written;
  }

  const ApiGroup& group_;
  const ApiVersion& version_;
  std::string api_version_;
  OpenApiVersion form_;
  SchemaWriter& writer_;
};

}  // namespace

void add_resource_paths(const ApiGroup& group, const ApiVersion& version, const ApiResource& resource,
                        OpenApiVersion form, SchemaWriter& writer, ordered_json& paths) {
  PathWriter write(group, version, form, writer);
  const std::string root = (group.name.empty() ? "/api/" : "/apis/") + group.group_version(version);
  const std::string collection = root + (resource.namespaced ? "/namespaces/{namespace}/" : "/") + resource.plural;
  std::vector<std::string> in_path;
  if (resource.namespaced) in_path.push_back("namespace");
  const std::string scope = resource.namespaced ? "Namespaced" : "";
  const auto add = [&](const std::string& path, ordered_json item) {
    if (!item.empty()) paths[path] = std::move(item);
  };
  if (resource.namespaced) {
    std::vector<Verb> all(collection_verbs().begin(), collection_verbs().begin() + 1);
    add(root + "/" + resource.plural, write.item(resource, resource.verbs, all, {}, "AllNamespaces"));
  }
  add(collection, write.item(resource, resource.verbs, collection_verbs(), in_path, scope));
  in_path.insert(in_path.begin(), "name");
  add(collection + "/{name}", write.item(resource, resource.verbs, object_verbs(), in_path, scope));
  for (const ApiSubresource& subresource : resource.subresources) {
    if (subresource.kind != resource.kind) continue;
    std::string in_id = subresource.name;
    in_id.front() = static_cast<char>(in_id.front() - 'a' + 'A');
    add(collection + "/{name}/" + subresource.name,
        write.item(resource, subresource.verbs, object_verbs(), in_path, scope + in_id));
  }
}

}  // namespace usbloop::apiserver
