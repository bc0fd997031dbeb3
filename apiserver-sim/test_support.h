#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "apiserver-sim/policy/policies.h"
#include "apiserver-sim/subresource/subresource_api.h"
#include "common/test_wait.h"
#include "kube-sim/objects/answer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/rest/api_handler.h"
#include "kube-sim/security/bootstrap.h"
#include "kube-sim/security/rbac_admission.h"
#include "kube-sim/store/store.h"

// What the unit tests of this folder share.
namespace usbloop::apiserver::test {

/// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "usbloop-api-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Registry, store in memory and history without a server around them.
struct World {
  Registry registry = kubevirt_registry();
  WatchHub hub;
  std::unique_ptr<Store> store;
  explicit World(std::size_t history = 1000) : hub(history) {
    auto opened = Store::open(make_memory_journal(), registry.field_reader(), hub);
    if (!opened) throw std::runtime_error(opened.error().message());
    store = std::move(*opened);
  }
};

inline User admin() { return {"kubernetes-admin", "admin", {"system:masters", "system:authenticated"}}; }
inline User node_user() { return {"system:node:n1", "", {"system:nodes", "system:authenticated"}}; }

inline constexpr const char* kVmis = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances";
/// The VMI that vmi("demo") makes.
inline const std::string kDemo = std::string(kVmis) + "/demo";
inline const std::string kPods = "/api/v1/namespaces/default/pods";
inline constexpr const char* kMerge = "application/merge-patch+json";

/// The message of a Status.
inline std::string message(const Response& response) {
  if (response.body.empty()) return {};
  return nlohmann::json::parse(response.body).value("message", "");
}

using usbloop::testing::comes_true;

inline nlohmann::json vmi(const std::string& name) {
  return {{"apiVersion", "kubevirt.io/v1"},
          {"kind", "VirtualMachineInstance"},
          {"metadata", {{"name", name}}},
          {"spec", {{"domain", {{"devices", {{"clientPassthrough", nlohmann::json::object()}}}}}}}};
}

/// The virt-handler pod of a node, in the namespace "kubevirt".
inline nlohmann::json handler_pod(const std::string& node) {
  const nlohmann::json container = {{"name", "virt-handler"}, {"image", "none"}};
  return {{"metadata", {{"name", "virt-handler-" + node}, {"labels", {{"kubevirt.io", "virt-handler"}}}}},
          {"spec", {{"nodeName", node}, {"containers", nlohmann::json::array({container})}}}};
}
inline constexpr const char* kHandlerPods = "/api/v1/namespaces/kubevirt/pods";

/// The API's logic with the namespaces "default" and "kubevirt", asked as the HTTP layer asks it.
struct Api : World {
  RbacAuthorizer authorizer{*store, hub};
  RbacAdmission admission{authorizer};
  ApiHandler handler{registry, *store, authorizer, &admission};
  User user = admin();

  explicit Api(std::size_t history = 1000) : World(history) {
    if (const auto made = apply_bootstrap_policies(registry, *store, bootstrap_policies()); !made)
      throw std::runtime_error(made.error().message());
    for (const char* name : {"default", "kubevirt"}) {
      call("POST", "/api/v1/namespaces", {{"metadata", {{"name", name}}}});
    }
  }

  Response raw(const std::string& method, const std::string& target, const std::string& body = {},
               const std::string& content_type = "application/json", const std::string& accept = {}) {
    const auto parsed = parse_target(target);
    if (!parsed) throw std::runtime_error("bad target " + target);
    return handle({method, parsed->path, parsed->query, content_type, accept, body, user});
  }
  Response handle(const Request& request) {
    const RequestInfo info = read_request_info(request);
    if (const auto refused = refuse_unauthorized(authorizer, request.user, info)) return answer_status(*refused);
    return handler.handle(request, info);
  }
  Response call(const std::string& method, const std::string& target, const nlohmann::json& body = nullptr,
                const std::string& content_type = "application/json") {
    return raw(method, target, body.is_null() ? std::string() : body.dump(), content_type);
  }
  /// The object at a path, or null.
  nlohmann::json get(const std::string& path) {
    const Response response = call("GET", path);
    return response.code == 200 ? nlohmann::json::parse(response.body) : nlohmann::json();
  }
  /// Merges the patch as a node does: of all users, only nodes may write a VMI's status.
  nlohmann::json merge_as_node(const std::string& path, const nlohmann::json& patch) {
    const User before = std::exchange(user, node_user());
    const Response response = call("PATCH", path, patch, kMerge);
    user = before;
    return ok(response);
  }
  nlohmann::json ok(const Response& response, int code = 200) {
    if (response.code != code) throw std::runtime_error(std::to_string(response.code) + ": " + response.body);
    return nlohmann::json::parse(response.body);
  }
};

}  // namespace usbloop::apiserver::test
