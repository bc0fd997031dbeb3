#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kube-sim/request/http_types.h"
#include "kube-sim/security/policy_rule.h"
#include "kube-sim/store/object.h"

namespace usbloop::apiserver {

using Rules = std::shared_ptr<const std::vector<PolicyRule>>;

/// Roles by name and bindings by whom they bind, so that a decision looks at the user's own bindings only. Not
/// thread-safe.
class RbacIndex {
 public:
  /// Takes in an object of one of RBAC's four resources, as it is now. Others are ignored.
  void put(const Object& object);
  void remove(const Key& key);
  void clear();

  /// The rules that a binding in `namespace_` (empty: a ClusterRoleBinding) refers to; null when there is no such role.
  [[nodiscard]] Rules rules_of(const std::string& kind, const std::string& name, const std::string& namespace_) const;

  struct Binding {
    Key key;
    std::string role_kind;
    std::string role_name;
    /// What the binding is found by ("U" or "G" and the name), and how a reason names it.
    std::map<std::string, std::string> subjects;
  };
  /// Where rules come from, in the words of kube-apiserver: `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`.
  struct Source {
    const Binding& binding;
    const std::string& subject;
    [[nodiscard]] std::string text() const;
  };
  /// Calls `visit` with the rules of each binding that gives the user something in the namespace (empty: everywhere),
  /// until `visit` answers false. The rules are null when the binding's role does not exist.
  using Visit = std::function<bool(const Source& source, const std::vector<PolicyRule>* rules)>;
  void visit(const User& user, const std::string& namespace_, const Visit& visit) const;

 private:
  bool visit_subject(const std::string& namespace_, const std::string& subject, const Visit& visit) const;

  using Place = std::pair<std::string, std::string>;  ///< namespace (empty: the cluster) and name or subject
  std::map<Place, Rules> roles_;
  std::map<Place, std::shared_ptr<const Binding>> bindings_;
  std::map<Place, std::map<std::string, std::shared_ptr<const Binding>>> by_subject_;
};

}  // namespace usbloop::apiserver
