#include "apiserver-sim/kinds/installed_objects.h"

#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/kinds/vmi.h"
#include "kube-sim/documents/api_groups.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/kubernetes_kinds.h"
#include "kube-sim/resources/namespace.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kNamespace = "kubevirt";
constexpr const char* kServedByKubeVirt = "subresources.kubevirt.io";

json true_condition(const char* type, const char* reason, const char* message) {
  return {{"type", type}, {"status", "True"}, {"reason", reason}, {"message", message}};
}

json definition_version(const ResourceInfo& info, const std::string& version) {
  const bool stored = version == info.version;
  // The fields are told by OpenAPI.
  json entry = {
      {"name", version},
      {"served", true},
      {"storage", stored},
      {"schema", {{"openAPIV3Schema", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}};
  if (info.has_status) entry["subresources"] = {{"status", json::object()}};
  if (stored) return entry;
  entry["deprecated"] = true;
  entry["deprecationWarning"] =
      info.group + "/" + version + " is now deprecated and will be removed in a future release.";
  return entry;
}

json definition_of(const ResourceInfo& info) {
  json names = {{"plural", info.plural},          {"singular", info.singular},      {"kind", info.kind},
                {"listKind", info.kind + "List"}, {"shortNames", info.short_names}, {"categories", info.categories}};
  json versions = json::array({definition_version(info, info.version)});
  for (const std::string& version : info.other_versions) versions.push_back(definition_version(info, version));
  return {{"metadata",
           {{"name", info.plural + "." + info.group}, {"labels", {{"app.kubernetes.io/component", "kubevirt"}}}}},
          {"spec",
           {{"group", info.group},
            {"names", names},
            {"scope", info.namespaced ? "Namespaced" : "Cluster"},
            {"conversion", {{"strategy", "None"}}},
            {"versions", std::move(versions)}}},
          {"status",
           {{"acceptedNames", names},
            {"storedVersions", json::array({info.version})},
            {"conditions", json::array({true_condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                                        true_condition("Established", "InitialNamesAccepted",
                                                       "the initial names have been accepted")})}}}};
}

json api_service_of(const ApiGroup& group, const ApiVersion& version) {
  json object = {{"metadata", {{"name", version.version + "." + group.name}}},
                 {"spec",
                  {{"group", group.name},
                   {"version", version.version},
                   {"groupPriorityMinimum", 1000},
                   {"versionPriority", 100}}}};
  if (group.name == kServedByKubeVirt) {
    object["spec"]["service"] = {{"namespace", kNamespace}, {"name", "virt-api"}, {"port", 443}};
    object["status"]["conditions"] = json::array({true_condition("Available", "Passed", "all checks passed")});
  } else {
    object["metadata"]["labels"] = {{"kube-aggregator.kubernetes.io/automanaged", "onstart"}};
    object["status"]["conditions"] =
        json::array({true_condition("Available", "Local", "Local APIServices are always available")});
  }
  return object;
}

/// Creates objects and remembers the first failure.
class Maker {
 public:
  Maker(const Registry& registry, Store& store) : registry_(registry), writer_(store) {}

  void make(const char* qualified, const std::string& namespace_, json object) {
    const std::string name = text_at(object, "/metadata/name");
    const json status = object.value("status", json());
    const Resource& kind = *registry_.find_qualified(qualified);
    auto made = writer_.create(kind, namespace_, std::move(object), false);
    // A new object has no status of its own where there is an endpoint for it.
    if (made && kind.info().has_status && !status.is_null()) {
      made = writer_.update(kind, (*made)->key, {"system:apiserver", "", {"system:masters"}}, {.whole = true},
                            [&](const json& current) {
                              json told = current;
                              told["status"] = status;
                              return told;
                            });
    }
    if (!made && made.error().reason != "AlreadyExists" && result) {
      result = make_error(ErrorKind::internal, "make the object", name, made.error().message);
    }
  }

  Result<> result;

 private:
  const Registry& registry_;
  ObjectWriter writer_;
};

}  // namespace

Result<> make_installed_objects(const Registry& registry, Store& store) {
  Maker maker(registry, store);
  maker.make(kNamespaceResource, "", {{"metadata", {{"name", kNamespace}}}});
  maker.make(kKubeVirt, kNamespace, {{"metadata", {{"name", kNamespace}}}, {"spec", json::object()}});
  for (const auto& resource : registry.all()) {
    if (resource->info().group == kKubevirtGroup) {
      maker.make(kCustomResourceDefinition, "", definition_of(resource->info()));
    }
  }
  for (const ApiGroup& group : api_groups(registry)) {
    // The core group's name would be "v1.", which is not a valid name.
    if (group.name.empty()) continue;
    for (const ApiVersion& version : group.versions) maker.make(kApiService, "", api_service_of(group, version));
  }
  return maker.result;
}

}  // namespace usbloop::apiserver
