#include "kube-sim/objects/write_checks.h"

#include <nlohmann/json.hpp>
#include <set>

#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/metadata_check.h"
#include "kube-sim/schema/constraints.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {

using nlohmann::json;

namespace {

std::set<std::string> finalizers_of(const json& object) {
  std::set<std::string> names;
  const json* list = element_at(object, "/metadata/finalizers");
  if (list == nullptr || !list->is_array()) return names;
  for (const json& name : *list) {
    if (name.is_string()) names.insert(name.get<std::string>());
  }
  return names;
}

}  // namespace

std::optional<kube::Status> settle_type(const Resource& resource, json& object) {
  const ResourceInfo& info = resource.info();
  const std::string stored = resource.api_version(info.version);
  const std::string version = text_at(object, "/apiVersion");
  bool served = version.empty() || version == stored;
  for (const std::string& other : info.other_versions) served = served || version == resource.api_version(other);
  if (!served) {
    return kube::bad_request("the API version in the data (" + version + ") does not match the expected API version (" +
                             stored + ")");
  }
  const std::string kind = text_at(object, "/kind");
  if (!kind.empty() && kind != info.kind && info.custom()) {
    return kube::invalid(info.group, info.kind, text_at(object, "/metadata/name"),
                         {field::invalid("kind", kind, "must be " + info.kind)});
  }
  if (!kind.empty() && kind != info.kind) {
    return kube::bad_request("the kind in the data (" + kind + ") does not match the expected kind (" + info.kind +
                             ")");
  }
  object["apiVersion"] = stored;
  object["kind"] = info.kind;
  return std::nullopt;
}

std::optional<kube::Status> settle_namespace(const Resource& resource, const std::string& namespace_, json& object) {
  json& metadata = object["metadata"];
  const std::string own = text_at(metadata, "/namespace");
  if (!resource.info().namespaced) {
    metadata.erase("namespace");
    return std::nullopt;
  }
  if (!own.empty() && own != namespace_) {
    return kube::bad_request("the namespace of the provided object does not match the namespace sent on the request");
  }
  metadata["namespace"] = namespace_;
  return std::nullopt;
}

std::optional<kube::Status> refuse_invalid(const Resource& resource, const json& object) {
  Causes causes = validate_metadata(object, resource.info());
  // What is wrong with the metadata may keep the rest from being read.
  if (causes.empty()) causes = resource.validate(object);
  if (causes.empty()) return resource.admit(object);
  if (resource.has_rules() && keeps_from_rules(causes)) causes.push_back(rules_not_checked());
  return kube::invalid(resource.info().group, resource.info().kind, text_at(object, "/metadata/name"),
                       std::move(causes));
}

kube::Status missing_object(const Resource& resource, const std::string& name) {
  return kube::not_found(resource.info().group, resource.info().plural, name);
}

std::optional<kube::Status> failed_precondition(const Resource& resource, const Object& current,
                                                const DeleteOptions& options) {
  const ResourceInfo& info = resource.info();
  const auto refuse = [&](const std::string& what, const std::string& wanted, const std::string& found,
                          const std::string& why) {
    // kube-apiserver names the kind here, where it names the resource everywhere else.
    return kube::conflict(info.group, info.kind, current.key.name,
                          "the " + what + " in the precondition (" + wanted + ") does not match the " + what +
                              " in record (" + found + "). The object might have been " + why);
  };
  if (!options.uid.empty() && options.uid != current.uid) {
    return refuse("UID", options.uid, current.uid, "deleted and then recreated");
  }
  const std::string version = std::to_string(current.version);
  if (!options.resource_version.empty() && options.resource_version != version) {
    return refuse("ResourceVersion", options.resource_version, version, "modified");
  }
  return std::nullopt;
}

kube::Status other_uid(const ResourceInfo& info, const json& current, const std::string& uid) {
  const std::string name = text_at(current, "/metadata/name");
  std::string path =
      "/registry/" + (info.custom() ? info.group + "/" : "") + (info.kind == "Node" ? "minions" : info.plural) + "/";
  if (info.namespaced) path += text_at(current, "/metadata/namespace") + "/";
  return kube::conflict(info.group, info.plural, name,
                        "StorageError: invalid object, Code: 4, Key: " + path + name +
                            ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " +
                            uid + ", UID in object meta: " + text_at(current, "/metadata/uid"));
}

std::optional<kube::StatusCause> late_finalizer(const json& object, const json& current) {
  if (!is_being_deleted(current)) return std::nullopt;
  const auto before = finalizers_of(current);
  std::string added;
  for (const std::string& name : finalizers_of(object)) {
    if (before.count(name) == 0) added += (added.empty() ? "" : ", ") + field::quoted(name);
  }
  if (added.empty()) return std::nullopt;
  return field::forbidden(
      "metadata.finalizers",
      "no new finalizers can be added if the object is being deleted, found new finalizers []string{" + added + "}");
}

}  // namespace usbloop::apiserver
