#include "kube-sim/security/authorizer.h"

namespace usbloop::apiserver {

Attributes attributes_of(const RequestInfo& info) {
  // "portforward/22/tcp" is authorized as "portforward": the rest concerns only the code that serves it.
  const std::string subresource = info.subresource.substr(0, info.subresource.find('/'));
  return {info.is_resource, info.verb, info.path, info.group, info.resource, subresource, info.namespace_, info.name};
}

kube::Status forbidden_status(const User& user, const Attributes& attributes, const std::string& reason) {
  const std::string who = "forbidden: User \"" + user.name + "\" cannot " + attributes.verb;
  const std::string why = reason.empty() ? std::string() : ": " + reason;
  if (!attributes.is_resource) return kube::forbidden("", "", "", who + " path \"" + attributes.path + "\"" + why);
  std::string message = kube::qualified_resource(attributes.group, attributes.resource);
  if (!attributes.name.empty()) message += " \"" + attributes.name + "\"";
  const std::string resource =
      attributes.subresource.empty() ? attributes.resource : attributes.resource + "/" + attributes.subresource;
  message += " is " + who + " resource \"" + resource + "\" in API group \"" + attributes.group + "\"";
  message +=
      attributes.namespace_.empty() ? " at the cluster scope" : " in the namespace \"" + attributes.namespace_ + "\"";
  return kube::forbidden(attributes.group, attributes.resource, attributes.name, message + why);
}

}  // namespace usbloop::apiserver
