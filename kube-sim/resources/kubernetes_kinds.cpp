#include "kube-sim/resources/kubernetes_kinds.h"

#include "kube-sim/resources/event.h"
#include "kube-sim/resources/lease.h"
#include "kube-sim/resources/namespace.h"
#include "kube-sim/resources/node.h"
#include "kube-sim/resources/pod.h"
#include "kube-sim/resources/rbac.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

std::string age_cell(const json& object, std::int64_t now) {
  return age_of(text_at(object, "/metadata/creationTimestamp"), now);
}

class CustomResourceDefinition final : public Resource {
 public:
  CustomResourceDefinition()
      : Resource({.group = "apiextensions.k8s.io",
                  .version = "v1",
                  .plural = "customresourcedefinitions",
                  .singular = "customresourcedefinition",
                  .kind = "CustomResourceDefinition",
                  .namespaced = false,
                  .short_names = {"crd", "crds"},
                  .categories = {"api-extensions"},
                  .strategic_merge = true}) {}

  [[nodiscard]] const std::vector<Column>& columns() const override {
    static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name of the object."},
                                                 {"Created At", "date", "", 0, "When the object was created."}};
    return kColumns;
  }
  [[nodiscard]] json cells(const json& object, std::int64_t) const override {
    return {text_at(object, "/metadata/name"), text_at(object, "/metadata/creationTimestamp")};
  }
};

class ApiService final : public Resource {
 public:
  ApiService()
      : Resource({.group = "apiregistration.k8s.io",
                  .version = "v1",
                  .plural = "apiservices",
                  .singular = "apiservice",
                  .kind = "APIService",
                  .namespaced = false,
                  .categories = {"api-extensions"},
                  .strategic_merge = true}) {}

  [[nodiscard]] const std::vector<Column>& columns() const override {
    static const std::vector<Column> kColumns = {
        {"Name", "string", "name", 0, "Name of the object."},
        {"Service", "string", "", 0, "Service that answers, as NAMESPACE/NAME. Local: this server."},
        {"Available", "string", "", 0, "Whether the group version is available."},
        {"Age", "date", "", 0, "How long ago the object was created."}};
    return kColumns;
  }
  [[nodiscard]] json cells(const json& object, std::int64_t now) const override {
    const std::string service = text_at(object, "/spec/service/name");
    return {text_at(object, "/metadata/name"),
            service.empty() ? "Local" : text_at(object, "/spec/service/namespace") + "/" + service,
            condition_status(object, "Available"), age_cell(object, now)};
  }
};

class Service final : public Resource {
 public:
  Service()
      : Resource({.group = "",
                  .version = "v1",
                  .plural = "services",
                  .singular = "service",
                  .kind = "Service",
                  .short_names = {"svc"},
                  .categories = {"all"},
                  .has_status = true,
                  .strategic_merge = true}) {}

  [[nodiscard]] const std::vector<Column>& columns() const override {
    static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name of the object."},
                                                 {"Type", "string", "", 0, "Type of the service, such as ClusterIP."},
                                                 {"Cluster-IP", "string", "", 0, "IP address within the cluster."},
                                                 {"External-IP", "string", "", 0, "IP addresses outside the cluster."},
                                                 {"Port(s)", "string", "", 0, "Ports and protocols of the service."},
                                                 {"Age", "string", "", 0, "How long ago the object was created."}};
    return kColumns;
  }
  [[nodiscard]] json cells(const json& object, std::int64_t now) const override {
    const auto or_none = [](const std::string& text) { return text.empty() ? std::string("<none>") : text; };
    const std::string type = text_at(object, "/spec/type");
    return {text_at(object, "/metadata/name"),
            type.empty() ? "ClusterIP" : type,
            or_none(text_at(object, "/spec/clusterIP")),
            "<none>",
            or_none(ports(object)),
            age_cell(object, now)};
  }

 private:
  static std::string ports(const json& object) {
    std::string text;
    const json* list = element_at(object, "/spec/ports");
    if (list == nullptr || !list->is_array()) return text;
    for (const json& port : *list) {
      const json* number = element_at(port, "/port");
      const std::string protocol = text_at(port, "/protocol");
      text += (text.empty() ? "" : ",") + (number == nullptr ? std::string("0") : number->dump()) + "/" +
              (protocol.empty() ? "TCP" : protocol);
    }
    return text;
  }
};

}  // namespace

std::vector<std::unique_ptr<Resource>> kubernetes_kinds() {
  std::vector<std::unique_ptr<Resource>> kinds;
  kinds.push_back(std::make_unique<NamespaceResource>());
  kinds.push_back(std::make_unique<NodeResource>());
  kinds.push_back(std::make_unique<PodResource>());
  kinds.push_back(std::make_unique<EventResource>());
  kinds.push_back(std::make_unique<LeaseResource>());
  for (const bool namespaced : {true, false}) {
    kinds.push_back(std::make_unique<RoleResource>(namespaced));
    kinds.push_back(std::make_unique<RoleBindingResource>(namespaced));
  }
  kinds.push_back(std::make_unique<CustomResourceDefinition>());
  kinds.push_back(std::make_unique<ApiService>());
  kinds.push_back(std::make_unique<Service>());
  return kinds;
}

}  // namespace usbloop::apiserver
