#include "kube-sim/documents/schema_writer.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "kube-sim/schema/quantity.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Type = Schema::Type;

constexpr const char* kMetaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1";
constexpr const char* kQuantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
constexpr const char* kIntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
constexpr const char* kTime = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";

ordered_json group_version_kind(const std::string& api_version, const std::string& kind) {
  const auto slash = api_version.find('/');
  const bool core = slash == std::string::npos;
  return {{"group", core ? "" : api_version.substr(0, slash)},
          {"kind", kind},
          {"version", core ? api_version : api_version.substr(slash + 1)}};
}

bool keeps_unknown(const json& schema) { return schema.value("x-kubernetes-preserve-unknown-fields", false); }

/// The schema without the keywords that OpenAPI v2 does not have, as kube-apiserver reduces it.
json as_v2(const json& schema) {
  json kept = json::object();
  const bool open = keeps_unknown(schema);
  for (const auto& [name, value] : schema.items()) {
    static const std::set<std::string> kDropped = {"nullable", "oneOf",        "anyOf",   "allOf", "not",
                                                   "default",  "externalDocs", "example", "title"};
    if (kDropped.contains(name)) continue;
    if (open && (name == "properties" || name == "items")) continue;
    if (name == "properties") {
      for (const auto& [field, child] : value.items()) kept[name][field] = as_v2(child);
    } else if (name == "items" || (name == "additionalProperties" && value.is_object())) {
      kept[name] = as_v2(value);
    } else if (!(name == "type" && schema.value("nullable", false)) && name != "additionalProperties") {
      kept[name] = value;
    }
  }
  return kept;
}

/// The definitions that built-in types use instead of a plain type.
ordered_json scalar_definition(Type type) {
  switch (type) {
    case Type::quantity:
      return {{"description", "A number, which may have a suffix such as m, k or Mi."}, {"type", "string"}};
    case Type::int_or_string:
      return {{"description", "A whole number or a text."}, {"type", "string"}, {"format", "int-or-string"}};
    default: return {{"description", "A time as RFC 3339 writes it."}, {"type", "string"}, {"format", "date-time"}};
  }
}

/// What a custom kind's field keeps to beyond its type.
void add_constraints(const SchemaField& field, OpenApiVersion version, ordered_json& written) {
  if (field.nullable && version == OpenApiVersion::v3) written["nullable"] = true;
  if (field.no_twins) {
    const bool set = field.merge == "set";
    written["x-kubernetes-list-type"] = set ? "set" : "map";
    std::istringstream keys(set ? "" : field.merge);
    for (std::string key; std::getline(keys, key, ',');) written["x-kubernetes-list-map-keys"].push_back(key);
  }
  for (const SchemaRule& rule : field.rules) {
    written["x-kubernetes-validations"].push_back({{"message", rule.message}, {"rule", rule.rule}});
  }
}

}  // namespace

std::string SchemaWriter::definition_name(const std::string& api_version, const std::string& kind) const {
  if (const SchemaPackage* package = set_.package(api_version)) return package->name + "." + kind;
  // Another version of a group that is described: io.kubevirt.v1alpha3.
  const auto slash = api_version.find('/');
  const std::string group = api_version.substr(0, slash);
  const std::string version = slash == std::string::npos ? api_version : api_version.substr(slash + 1);
  std::string reversed;
  for (std::size_t end = group.size(); end != std::string::npos && end > 0;) {
    const std::size_t dot = group.rfind('.', end - 1);
    reversed +=
        group.substr(dot == std::string::npos ? 0 : dot + 1, end - (dot == std::string::npos ? 0 : dot + 1)) + ".";
    end = dot;
  }
  return reversed + version + "." + kind;
}

ordered_json SchemaWriter::reference(const std::string& name) const {
  return {{"$ref", (version_ == OpenApiVersion::v2 ? "#/definitions/" : "#/components/schemas/") + name}};
}

ordered_json SchemaWriter::kind_reference(const std::string& api_version, const std::string& kind) const {
  return reference(definition_name(api_version, kind));
}

ordered_json SchemaWriter::meta_reference(const std::string& type) {
  if (const Schema* schema = set_.type(kMetaPackage, type)) return write_named(*schema);
  return {{"type", "object"}};
}

bool SchemaWriter::add_kind(const std::string& stored_api_version, const std::string& served_api_version,
                            const std::string& kind) {
  const Schema* schema = set_.kind(stored_api_version, kind);
  if (schema == nullptr) return false;
  ordered_json definition = write_object(*schema, set_.package(stored_api_version)->custom);
  definition["x-kubernetes-group-version-kind"] = ordered_json::array({group_version_kind(served_api_version, kind)});
  definitions_[definition_name(served_api_version, kind)] = definition;
  add_list(served_api_version, kind);
  return true;
}

void SchemaWriter::add_custom_kind(const std::string& api_version, const std::string& kind, const json& schema) {
  json definition = version_ == OpenApiVersion::v2 ? as_v2(schema) : schema;
  const Schema* options = set_.type(kMetaPackage, "DeleteOptions");
  const SchemaField metadata{.name = "metadata",
                             .schema = set_.type(kMetaPackage, "ObjectMeta"),
                             .description = "Name, labels and other data that every object has."};
  // Clients of v2 refuse fields that are not listed: what may hold others lists none.
  if (version_ == OpenApiVersion::v3 || !keeps_unknown(schema)) {
    json& properties = definition["properties"];
    properties["apiVersion"] = write_field(*options->field("apiVersion"), false);
    properties["kind"] = write_field(*options->field("kind"), false);
    properties["metadata"] = write_field(metadata, false);
  }
  definition["x-kubernetes-group-version-kind"] = json::array({group_version_kind(api_version, kind)});
  definitions_[definition_name(api_version, kind)] = std::move(definition);
  add_list(api_version, kind);
}

void SchemaWriter::add_list(const std::string& served_api_version, const std::string& kind) {
  const std::string list = kind + "List";
  const Schema* object = set_.type(kMetaPackage, "DeleteOptions");
  ordered_json definition = {{"description", "Objects of the kind " + kind + ", or one page of them."},
                             {"type", "object"},
                             {"required", {"items"}}};
  ordered_json& properties = definition["properties"];
  properties["apiVersion"] = write_field(*object->field("apiVersion"), false);
  properties["items"] = {
      {"description", "The objects."}, {"type", "array"}, {"items", kind_reference(served_api_version, kind)}};
  properties["kind"] = write_field(*object->field("kind"), false);
  properties["metadata"] = write_field({.name = "metadata",
                                        .schema = set_.type(kMetaPackage, "ListMeta"),
                                        .description = "Version of the list, and where it goes on."},
                                       false);
  definition["x-kubernetes-group-version-kind"] = ordered_json::array({group_version_kind(served_api_version, list)});
  definitions_[definition_name(served_api_version, list)] = definition;
}

ordered_json SchemaWriter::write(const Schema& schema, bool custom) {
  switch (schema.type) {
    case Type::object:
      // Metadata is the one thing that custom kinds share with all others.
      return schema.name.empty() || (custom && schema.package != kMetaPackage) ? write_object(schema, custom)
                                                                               : write_named(schema);
    case Type::map: return {{"type", "object"}, {"additionalProperties", write(*schema.element, custom)}};
    case Type::array: {
      ordered_json written = {{"type", "array"}, {"items", write(*schema.element, custom)}};
      if (schema.most) written["maxItems"] = *schema.most;
      if (schema.null_items && version_ == OpenApiVersion::v3) written["items"]["nullable"] = true;
      return written;
    }
    default: return write_scalar(schema, custom);
  }
}

ordered_json SchemaWriter::write_named(const Schema& schema) {
  const std::string name = schema.package + "." + schema.name;
  if (!definitions_.contains(name)) {
    definitions_[name] = json::object();  // ends the recursion of types that hold themselves
    definitions_[name] = write_object(schema, false);
  }
  return reference(name);
}

ordered_json SchemaWriter::write_object(const Schema& schema, bool custom) {
  ordered_json written;
  if (!schema.description.empty()) written["description"] = schema.description;
  written["type"] = "object";
  // Clients of v2 refuse fields that are not listed: what may hold others lists none.
  if (schema.open && version_ == OpenApiVersion::v2) return written;
  if (schema.open && custom) written["x-kubernetes-preserve-unknown-fields"] = true;
  for (const SchemaField& field : schema.fields) {
    if (field.required) written["required"].push_back(field.name);
    written["properties"][field.name] = write_field(field, custom);
  }
  return written;
}

ordered_json SchemaWriter::write_field(const SchemaField& field, bool custom) {
  ordered_json written = write(*field.schema, custom);
  if (field.description.empty()) return written;
  if (version_ == OpenApiVersion::v3 && written.contains("$ref")) {
    return {{"description", field.description}, {"allOf", ordered_json::array({written})}};
  }
  if (custom) add_constraints(field, version_, written);
  ordered_json described = {{"description", field.description}};
  written.erase("description");
  described.update(written);
  return described;
}

ordered_json SchemaWriter::write_scalar(const Schema& schema, bool custom) {
  const bool either = schema.type == Type::quantity || schema.type == Type::int_or_string;
  if (!custom && (either || schema.type == Type::time)) {
    const char* name = schema.type == Type::quantity ? kQuantity : either ? kIntOrString : kTime;
    definitions_[name] = scalar_definition(schema.type);
    return reference(name);
  }
  ordered_json written;
  if (either) {
    if (version_ == OpenApiVersion::v3) {
      written["anyOf"] = ordered_json::array({{{"type", "integer"}}, {{"type", "string"}}});
    }
    if (schema.type == Type::quantity) written["pattern"] = kQuantityPattern;
    written["x-kubernetes-int-or-string"] = true;
    return written;
  }
  switch (schema.type) {
    case Type::boolean: written["type"] = "boolean"; break;
    case Type::integer: written["type"] = "integer"; break;
    case Type::number: written["type"] = "number"; break;
    default: written["type"] = "string"; break;
  }
  if (!schema.format.empty()) written["format"] = schema.format;
  if (!schema.allowed.empty()) written["enum"] = schema.allowed;
  if (schema.minimum) written["minimum"] = *schema.minimum;
  if (schema.maximum) written["maximum"] = *schema.maximum;
  if (schema.most) written["maxLength"] = *schema.most;
  if (!schema.pattern.empty()) written["pattern"] = schema.pattern;
  return written;
}

}  // namespace usbloop::apiserver
