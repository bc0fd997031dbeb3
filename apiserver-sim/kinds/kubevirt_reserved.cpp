#include "apiserver-sim/kinds/kubevirt_reserved.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kAccounts = {"apiserver", "controller", "handler",
                                                       "synchronization-controller"};
constexpr std::array<const char*, 6> kLabels = {"kubevirt.io/created-by",      "kubevirt.io/install-strategy",
                                                "kubevirt.io/migrationJobUID", "kubevirt.io/migrationTargetNodeName",
                                                "kubevirt.io/nodeName",        "kubevirt.io/schedulable"};

json reserved_labels(const json& metadata) {
  json reserved = json::object();
  const json* labels = element_at(metadata, "/labels");
  if (labels == nullptr || !labels->is_object()) return reserved;
  for (const char* name : kLabels) {
    if (const auto found = labels->find(name); found != labels->end()) reserved[name] = *found;
  }
  return reserved;
}

}  // namespace

bool is_kubevirt_component(const User& user) {
  constexpr std::string_view kPrefix = "system:serviceaccount:kubevirt:kubevirt-";
  if (user.in_group("system:nodes")) return true;
  return user.name.starts_with(kPrefix) &&
         std::find(kAccounts.begin(), kAccounts.end(), std::string_view(user.name).substr(kPrefix.size())) !=
             kAccounts.end();
}

bool same_reserved_labels(const json& metadata, const json& other) {
  return reserved_labels(metadata) == reserved_labels(other);
}

Causes refuse_reserved_labels(const json& metadata, const std::string& path) {
  if (reserved_labels(metadata).empty()) return {};
  return {{"FieldValueNotSupported",
           "creation of the following reserved kubevirt.io/ labels on a VMI object is prohibited", path}};
}

}  // namespace usbloop::apiserver
