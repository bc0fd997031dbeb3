#include "apiserver-sim/security/authorizer.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace usbloop::apiserver {
namespace {

bool one_of(const std::string& text, std::initializer_list<std::string_view> items) {
  return std::find(items.begin(), items.end(), text) != items.end();
}

/// path itself or anything below it
bool under(const std::string& path, std::string_view root) {
  return path == root || (path.starts_with(root) && path.size() > root.size() && path[root.size()] == '/');
}

bool is_public_path(const Attributes& attributes) {
  if (attributes.is_resource || !one_of(attributes.verb, {"get", "head"})) return false;
  return under(attributes.path, "/healthz") || under(attributes.path, "/livez") || under(attributes.path, "/readyz") ||
         under(attributes.path, "/version");
}

bool is_discovery(const Attributes& attributes) {
  if (!one_of(attributes.verb, {"get", "head", "list"})) return false;
  // "/apis/GROUP/VERSION/version" has the form of a resource.
  if (attributes.is_resource) {
    return attributes.group == "subresources.kubevirt.io" && attributes.resource == "version";
  }
  return under(attributes.path, "/api") || under(attributes.path, "/apis") || under(attributes.path, "/openapi");
}

bool is_self_review(const Attributes& attributes) {
  return attributes.is_resource && attributes.verb == "create" &&
         one_of(attributes.resource, {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"});
}

/// What a node's controller reads and writes.
bool node_may(const Attributes& attributes) {
  if (!attributes.is_resource) return false;
  const std::string& verb = attributes.verb;
  const bool read = one_of(verb, {"get", "list", "watch"});
  const bool change = one_of(verb, {"update", "patch"});
  if (attributes.group == "kubevirt.io") {
    return attributes.resource == "virtualmachineinstances" && attributes.subresource.empty() && (read || change);
  }
  if (attributes.group == "coordination.k8s.io") return attributes.resource == "leases" && verb != "deletecollection";
  if (!attributes.group.empty()) return false;
  if (attributes.resource == "nodes") return read || change || (verb == "create" && attributes.subresource.empty());
  if (attributes.resource == "events") return verb == "create" || change;
  if (attributes.resource == "pods") return verb != "deletecollection";
  return attributes.resource == "namespaces" && read;
}

class GroupAuthorizer final : public Authorizer {
 public:
  [[nodiscard]] bool allows(const User& user, const Attributes& attributes) const override {
    if (user.in_group("system:masters") || is_public_path(attributes)) return true;
    if (!user.in_group("system:authenticated")) return false;
    if (is_discovery(attributes) || is_self_review(attributes)) return true;
    return user.in_group("system:nodes") && node_may(attributes);
  }
};

}  // namespace

Attributes attributes_of(const RequestInfo& info) {
  // "portforward/22/tcp" is authorized as "portforward": what follows is for who serves it.
  const std::string subresource = info.subresource.substr(0, info.subresource.find('/'));
  return {info.is_resource, info.verb, info.path, info.group, info.resource, subresource, info.namespace_, info.name};
}

std::unique_ptr<Authorizer> make_group_authorizer() { return std::make_unique<GroupAuthorizer>(); }

kube::Status forbidden_status(const User& user, const Attributes& attributes) {
  const std::string who = "forbidden: User \"" + user.name + "\" cannot " + attributes.verb;
  if (!attributes.is_resource) return kube::forbidden("", "", "", who + " path \"" + attributes.path + "\"");
  std::string message = kube::qualified_resource(attributes.group, attributes.resource);
  if (!attributes.name.empty()) message += " \"" + attributes.name + "\"";
  const std::string resource =
      attributes.subresource.empty() ? attributes.resource : attributes.resource + "/" + attributes.subresource;
  message += " is " + who + " resource \"" + resource + "\" in API group \"" + attributes.group + "\"";
  message +=
      attributes.namespace_.empty() ? " at the cluster scope" : " in the namespace \"" + attributes.namespace_ + "\"";
  return kube::forbidden(attributes.group, attributes.resource, attributes.name, message);
}

}  // namespace usbloop::apiserver
