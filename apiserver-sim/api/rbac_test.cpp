// Who may do what: roles, bindings, what may be granted, and what the server makes by itself.
#include "kube-sim/resources/rbac.h"

#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"
#include "common/http/head_grammar.h"
#include "kube-sim/security/impersonation.h"
#include "kube-sim/security/role_aggregation.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kDemo;
using test::kVmis;
using test::message;

namespace {

const std::string kRbac = "/apis/rbac.authorization.k8s.io/v1";
const std::string kRoles = kRbac + "/namespaces/default/roles";
const std::string kBindings = kRbac + "/namespaces/default/rolebindings";
const std::string kClusterRoles = kRbac + "/clusterroles";
const std::string kClusterBindings = kRbac + "/clusterrolebindings";

User user(const std::string& name, std::vector<std::string> groups = {}) {
  groups.emplace_back("system:authenticated");
  return {name, "", std::move(groups)};
}

Attributes on(const char* verb, const char* group, const char* resource, const char* subresource = "",
              const char* name = "", const char* namespace_ = "default") {
  return {true, verb, "", group, resource, subresource, namespace_, name};
}

Attributes at(const char* verb, const char* path) { return {false, verb, path, "", "", "", "", ""}; }

json role(const std::string& name, const json& rules) { return {{"metadata", {{"name", name}}}, {"rules", rules}}; }

json rule(const char* verbs, const char* group, const char* resource) {
  return {{"verbs", {verbs}}, {"apiGroups", {group}}, {"resources", {resource}}};
}

json binding(const std::string& name, const char* kind, const std::string& role_name, const json& subjects) {
  return {{"metadata", {{"name", name}}},
          {"roleRef", {{"apiGroup", kRbacGroup}, {"kind", kind}, {"name", role_name}}},
          {"subjects", subjects}};
}

json subjects(const char* kind, const char* name) { return json::array({{{"kind", kind}, {"name", name}}}); }

}  // namespace

TEST_CASE("what the bootstrapped roles allow") {
  const Api api;
  const auto may = [&](const User& who, const Attributes& what) { return api.authorizer.allows(who, what); };
  const User nobody{"system:anonymous", "", {"system:unauthenticated"}};
  const User guest = user("guest");
  const User node = test::node_user();
  CHECK(may(test::admin(), on("delete", "kubevirt.io", "virtualmachineinstances")));
  CHECK(may(nobody, at("get", "/healthz")));
  CHECK(may(nobody, at("get", "/version")));
  CHECK_FALSE(may(nobody, at("get", "/healthzz")));
  CHECK_FALSE(may(nobody, at("post", "/healthz")));
  CHECK_FALSE(may(nobody, at("get", "/apis")));
  CHECK(may(guest, at("get", "/apis/kubevirt.io/v1")));
  CHECK(may(guest, at("get", "/openapi/v3")));
  CHECK_FALSE(may(guest, at("get", "/metrics")));
  CHECK(may(user("prometheus", {"system:monitoring"}), at("get", "/metrics")));
  CHECK(may(guest, on("create", "authorization.k8s.io", "selfsubjectaccessreviews", "", "", "")));
  CHECK(may(guest, on("list", "subresources.kubevirt.io", "version", "", "", "")));
  CHECK_FALSE(may(guest, on("list", "kubevirt.io", "virtualmachineinstances")));
  for (const char* verb : {"get", "list", "watch", "update", "patch"}) {
    CHECK(may(node, on(verb, "kubevirt.io", "virtualmachineinstances")));
    CHECK(may(node, on(verb, "", "nodes", "", "n1", "")));
  }
  CHECK(may(node, on("patch", "", "nodes", "status", "n1", "")));
  CHECK(may(node, on("create", "coordination.k8s.io", "leases")));
  CHECK(may(node, on("create", "", "events")));
  CHECK_FALSE(may(node, on("create", "kubevirt.io", "virtualmachineinstances")));
  CHECK_FALSE(may(node, on("delete", "kubevirt.io", "virtualmachineinstances")));
  CHECK_FALSE(may(node, on("get", "subresources.kubevirt.io", "virtualmachineinstances", "usbredir")));
  CHECK_FALSE(may(node, on("get", kRbacGroup, "clusterroles", "", "", "")));
}

TEST_CASE("usbredir is for those who may edit: admin and edit, not view") {
  Api api;
  for (const char* name : {"admin", "edit", "view"}) {
    CAPTURE(name);
    const std::string who = std::string("user-of-") + name;
    REQUIRE(api.call("POST", kBindings, binding(name, "ClusterRole", name, subjects("User", who.c_str()))).code == 201);
    const bool edits = name != std::string("view");
    const auto may = [&](const Attributes& what) { return api.authorizer.allows(user(who), what); };
    CHECK(may(on("get", "subresources.kubevirt.io", "virtualmachineinstances", "usbredir", "demo")) == edits);
    CHECK(may(on("get", "subresources.kubevirt.io", "virtualmachineinstances", "console", "demo")) == edits);
    CHECK(may(on("update", "subresources.kubevirt.io", "virtualmachines", "start", "demo")) == edits);
    CHECK_FALSE(may(on("get", "subresources.kubevirt.io", "virtualmachines", "start", "demo")));
    CHECK(may(on("create", "kubevirt.io", "virtualmachineinstances")) == edits);
    CHECK(may(on("get", "kubevirt.io", "virtualmachineinstances", "", "demo")));
    CHECK(may(on("deletecollection", "kubevirt.io", "virtualmachines")) == (name == std::string("admin")));
    // A RoleBinding gives nothing outside its namespace.
    CHECK_FALSE(may(on("get", "kubevirt.io", "virtualmachineinstances", "", "demo", "other")));
    CHECK_FALSE(may(on("list", "kubevirt.io", "virtualmachineinstances", "", "", "")));
  }
}

TEST_CASE("KubeVirt's roles allow what those of v1.9 allow") {
  struct Line {
    const char* verb;
    const char* group;
    const char* resource;
    const char* subresource;
    const char* roles;  // of kubevirt.io
  };
  constexpr const char* kSub = "subresources.kubevirt.io";
  constexpr const char* kVmi = "virtualmachineinstances";
  constexpr const char* kVm = "virtualmachines";
  constexpr Line kLines[] = {
      {"get", kSub, kVmi, "usbredir", "admin edit"},
      {"update", kSub, kVmi, "usbredir", ""},
      {"get", kSub, kVmi, "vnc", "admin edit"},
      {"get", kSub, kVmi, "vnc/screenshot", "admin"},
      {"get", kSub, kVmi, "vsock", ""},
      {"get", kSub, kVmi, "guestosinfo", "admin edit view"},
      {"get", kSub, kVmi, "objectgraph", "admin edit view"},
      {"get", kSub, kVm, "objectgraph", "admin edit view"},
      {"get", kSub, kVm, "expand-spec", "admin edit view"},
      {"update", kSub, "expand-vm-spec", "", "admin edit view"},
      {"update", kSub, kVmi, "evacuate/cancel", "admin edit"},
      {"update", kSub, kVm, "evacuate/cancel", "admin edit"},
      {"update", kSub, kVmi, "reset", "admin edit"},
      {"update", kSub, kVmi, "backup", ""},
      {"update", kSub, kVm, "migrate", "migrate"},
      {"create", "kubevirt.io", "virtualmachineinstancemigrations", "", "migrate"},
      {"watch", "kubevirt.io", "virtualmachineinstancemigrations", "", "admin edit view migrate"},
      {"deletecollection", "kubevirt.io", kVm, "", "admin"},
      {"delete", "kubevirt.io", kVm, "", "admin edit"},
      {"create", "backup.kubevirt.io", "virtualmachinebackups", "", "admin edit"},
      {"deletecollection", "backup.kubevirt.io", "virtualmachinebackuptrackers", "", "admin"},
      {"list", "backup.kubevirt.io", "virtualmachinebackuptrackers", "", "admin edit view"},
      {"create", "plugin.kubevirt.io", "plugins", "", "admin"},
      {"list", "plugin.kubevirt.io", "plugins", "", "admin view"},
      {"list", "kubevirt.io", "kubevirts", "", "default edit view"},
      {"get", kSub, "guestfs", "", "default"},
  };
  Api api;
  for (const std::string name : {"admin", "edit", "view", "migrate", "default"}) {
    const std::string who = "user-of-" + name;
    const json bound = binding("kubevirt-" + name, "ClusterRole", "kubevirt.io:" + name, subjects("User", who.c_str()));
    REQUIRE(api.call("POST", kBindings, bound).code == 201);
    for (const Line& line : kLines) {
      CAPTURE(name);
      CAPTURE(line.verb);
      CAPTURE(line.resource);
      CAPTURE(line.subresource);
      const std::string list = std::string(" ") + line.roles + " ";
      // Without groups: everyone who is authenticated has kubevirt.io:default.
      CHECK(api.authorizer.allows({who, "", {}}, on(line.verb, line.group, line.resource, line.subresource)) ==
            (list.find(" " + name + " ") != std::string::npos));
    }
  }
}

TEST_CASE("a decision names the binding that allows") {
  Api api;
  api.call("POST", kBindings, binding("b", "ClusterRole", "view", subjects("ServiceAccount", "ci")));
  const User account = user("system:serviceaccount:default:ci");
  const Decision decision = api.authorizer.authorize(account, on("get", "", "pods"));
  CHECK(decision.allowed);
  CHECK(decision.reason ==
        "RBAC: allowed by RoleBinding \"b/default\" of ClusterRole \"view\" to ServiceAccount \"ci/default\"");
  CHECK_FALSE(api.authorizer.allows(user("system:serviceaccount:other:ci"), on("get", "", "pods")));
}

TEST_CASE("a binding to a role that does not exist allows nothing and is named in the refusal") {
  Api api;
  api.call("POST", kClusterBindings, binding("b", "ClusterRole", "gone", subjects("Group", "dev")));
  api.user = user("alice", {"dev"});
  CHECK(message(api.call("GET", "/api/v1/nodes")) ==
        "nodes is forbidden: User \"alice\" cannot list resource \"nodes\" in API group \"\" at the cluster scope: "
        "RBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found");
}

TEST_CASE("a binding counts as soon as its write is acknowledged, and no longer than it stands") {
  Api api;
  const auto as_alice = [&](const char* method, const std::string& target) {
    api.user = user("alice");
    const int code = api.call(method, target).code;
    api.user = test::admin();
    return code;
  };
  CHECK(as_alice("GET", kVmis) == 403);
  for (int round = 0; round < 3; ++round) {
    api.call("POST", kBindings, binding("b", "ClusterRole", "view", subjects("User", "alice")));
    CHECK(as_alice("GET", kVmis) == 200);
    json other = api.ok(api.call("GET", kBindings + "/b"));
    other["subjects"][0]["name"] = "bob";
    api.call("PUT", kBindings + "/b", other);
    CHECK(as_alice("GET", kVmis) == 403);
    other["subjects"] = subjects("User", "alice");
    other["metadata"].erase("resourceVersion");
    api.call("PUT", kBindings + "/b", other);
    CHECK(as_alice("GET", kVmis) == 200);
    api.call("DELETE", kBindings + "/b");
    CHECK(as_alice("GET", kVmis) == 403);
  }
}

TEST_CASE("more writes than the history holds are taken in as well") {
  Api api;
  CHECK_FALSE(api.authorizer.allows(user("u1499"), on("get", "", "pods")));
  for (int i = 0; i < 1500; ++i) {
    const std::string name = "u" + std::to_string(i);
    api.call("POST", kBindings, binding(name, "ClusterRole", "view", subjects("User", name.c_str())));
  }
  CHECK(api.authorizer.allows(user("u0"), on("get", "", "pods")));
  CHECK(api.authorizer.allows(user("u1499"), on("get", "", "pods")));
}

TEST_CASE("rules match verbs, groups, resources, subresources, names and paths as RBAC's do") {
  struct Case {
    PolicyRule rule;
    Attributes attributes;
    bool allowed;
  };
  const std::vector<Case> cases = {
      {{{"*"}, {"*"}, {"*"}}, on("frob", "x", "y", "z"), true},
      {{{"get"}, {""}, {"pods"}}, on("get", "", "pods"), true},
      {{{"get"}, {""}, {"pods"}}, on("list", "", "pods"), false},
      {{{"get"}, {""}, {"pods"}}, on("get", "apps", "pods"), false},
      {{{"get"}, {""}, {"pods"}}, on("get", "", "pods", "status"), false},
      {{{"get"}, {""}, {"pods/status"}}, on("get", "", "pods", "status"), true},
      {{{"get"}, {""}, {"pods/status"}}, on("get", "", "pods"), false},
      {{{"get"}, {""}, {"*/status"}}, on("get", "", "pods", "status"), true},
      {{{"get"}, {""}, {"*/status"}}, on("get", "", "pods"), false},
      {{{"get"}, {""}, {"*/status"}}, on("get", "", "pods", "log"), false},
      {{{"get"}, {""}, {"pods/*"}}, on("get", "", "pods", "log"), false},  // RBAC knows no such pattern
      {{{"get"}, {""}, {"pods"}, {"a"}}, on("get", "", "pods", "", "a"), true},
      {{{"get"}, {""}, {"pods"}, {"a"}}, on("get", "", "pods", "", "b"), false},
      {{{"list"}, {""}, {"pods"}, {"a"}}, on("list", "", "pods"), false},
      {{{"get"}, {}, {}, {}, {"/healthz"}}, at("get", "/healthz"), true},
      {{{"get"}, {}, {}, {}, {"/healthz"}}, at("get", "/healthz/x"), false},
      {{{"get"}, {}, {}, {}, {"/healthz/*"}}, at("get", "/healthz/x"), true},
      {{{"get"}, {}, {}, {}, {"*"}}, at("get", "/anything"), true},
      {{{"*"}, {"*"}, {"*"}}, at("get", "/healthz"), false},
      {{{"*"}, {}, {}, {}, {"*"}}, on("get", "", "pods"), false},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    CHECK(cases[i].rule.allows(cases[i].attributes) == cases[i].allowed);
  }
}

TEST_CASE("watching or listing one object by its name is authorized by that name") {
  Api api;
  json one = rule("list", "kubevirt.io", "virtualmachineinstances");
  one["resourceNames"] = {"demo"};
  api.call("POST", kRoles, role("one", json::array({one})));
  api.call("POST", kBindings, binding("one", "Role", "one", subjects("User", "alice")));
  api.user = user("alice");
  CHECK(api.call("GET", std::string(kVmis) + "?fieldSelector=metadata.name%3Ddemo").code == 200);
  CHECK(api.call("GET", std::string(kVmis) + "?fieldSelector=metadata.name%3Dother").code == 403);
  CHECK(api.call("GET", kVmis).code == 403);
}

TEST_CASE("nobody grants what they do not have") {
  Api api;
  api.call("POST", kBindings, binding("b", "ClusterRole", "admin", subjects("User", "alice")));
  api.user = user("alice", {"dev"});
  CHECK(api.call("POST", kRoles, role("own", json::array({rule("get", "", "pods")}))).code == 201);
  const json more = json::array({rule("get", "", "nodes"), rule("list", "", "nodes"), rule("get", "", "pods")});
  const Response refused = api.call("POST", kRoles, role("more", more));
  CHECK(refused.code == 403);
  CHECK(message(refused) ==
        "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"alice\" (groups=[\"dev\" "
        "\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n"
        "{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}");
  CHECK(api.call("PATCH", kRoles + "/own", {{"rules", more}}, "application/merge-patch+json").code == 403);
  CHECK(api.call("POST", kBindings, binding("x", "ClusterRole", "edit", subjects("User", "bob"))).code == 201);
  CHECK(api.call("POST", kBindings, binding("y", "ClusterRole", "cluster-admin", subjects("User", "bob"))).code == 403);
  CHECK(message(api.call("POST", kBindings, binding("z", "Role", "gone", subjects("User", "bob")))) ==
        "roles.rbac.authorization.k8s.io \"gone\" not found");
  // Neither by the dry run nor by server-side apply.
  CHECK(api.call("POST", kRoles + "?dryRun=All", role("more", more)).code == 403);
  json applied = role("more", more);
  applied.update({{"apiVersion", "rbac.authorization.k8s.io/v1"}, {"kind", "Role"}});
  CHECK(api.call("PATCH", kRoles + "/more?fieldManager=x", applied, "application/apply-patch+yaml").code == 403);
}

TEST_CASE("escalate and bind let grant what one does not have") {
  Api api;
  json escalate = rule("escalate", kRbacGroup, "roles");
  json bind = rule("bind", kRbacGroup, "clusterroles");
  bind["resourceNames"] = {"edit"};
  api.call("POST", kRoles,
           role("granter", json::array({escalate, bind, rule("*", kRbacGroup, "roles"),
                                        rule("create", kRbacGroup, "rolebindings")})));
  api.call("POST", kBindings, binding("granter", "Role", "granter", subjects("User", "alice")));
  json only_bind = role("binder", json::array({bind, rule("create", kRbacGroup, "rolebindings")}));
  api.call("POST", kRoles, only_bind);
  api.call("POST", kBindings, binding("binder", "Role", "binder", subjects("User", "bob")));
  api.user = user("alice");
  CHECK(api.call("POST", kRoles, role("more", json::array({rule("get", "", "secrets")}))).code == 201);
  api.user = user("bob");
  CHECK(api.call("POST", kBindings, binding("e", "ClusterRole", "edit", subjects("User", "c"))).code == 201);
  CHECK(api.call("POST", kBindings, binding("v", "ClusterRole", "admin", subjects("User", "c"))).code == 403);
}

TEST_CASE("an aggregation rule takes all rights there are") {
  Api api;
  api.call("POST", kClusterRoles, role("writer", json::array({rule("create", kRbacGroup, "clusterroles")})));
  api.call("POST", kClusterBindings, binding("writer", "ClusterRole", "writer", subjects("User", "alice")));
  const json selector = {{"matchLabels", {{"a", "b"}}}};
  json aggregated = role("sum", json::array());
  aggregated["aggregationRule"]["clusterRoleSelectors"] = json::array({selector});
  api.user = user("alice");
  CHECK(message(api.call("POST", kClusterRoles, aggregated))
            .ends_with("must have cluster-admin privileges to use the aggregationRule"));
  api.user = test::admin();
  CHECK(api.call("POST", kClusterRoles, aggregated).code == 201);
  json part = role("part", json::array({rule("get", "", "nodes")}));
  part["metadata"]["labels"] = {{"a", "b"}};
  api.call("POST", kClusterRoles, part);
  REQUIRE(aggregate_roles(api.registry, *api.store).has_value());
  CHECK(api.ok(api.call("GET", kClusterRoles + "/sum"))["rules"] == part["rules"]);
  api.call("DELETE", kClusterRoles + "/part");
  REQUIRE(aggregate_roles(api.registry, *api.store).has_value());
  CHECK(api.ok(api.call("GET", kClusterRoles + "/sum"))["rules"].empty());
}

TEST_CASE("rules of absurd size are refused, not taken apart") {
  Api api;
  api.call("POST", kBindings, binding("b", "ClusterRole", "admin", subjects("User", "alice")));
  json huge = {{"verbs", json::array()}, {"apiGroups", json::array()}, {"resources", json::array()}};
  for (int i = 0; i < 3000; ++i) {
    for (const char* list : {"verbs", "apiGroups", "resources"}) huge[list].push_back("x" + std::to_string(i));
  }
  api.user = user("alice");
  CHECK(api.call("POST", kRoles, role("huge", json::array({huge}))).code == 403);
}

TEST_CASE("roles and bindings that cannot be are refused by field") {
  Api api;
  struct Case {
    std::string path;
    json object;
    const char* field;
    const char* message;
  };
  json no_verbs = rule("get", "", "pods");
  no_verbs["verbs"] = json::array();
  const json path_rule = {{"verbs", {"get"}}, {"nonResourceURLs", {"/x"}}};
  json mixed = rule("get", "", "pods");
  mixed["nonResourceURLs"] = {"/x"};
  for (const Case& entry : std::vector<Case>{
           {kRoles, role("r", json::array({no_verbs})), "rules[0].verbs",
            "Required value: verbs must contain at least one value"},
           {kRoles, role("r", json::array({{{"verbs", {"get"}}, {"apiGroups", {""}}}})), "rules[0].resources",
            "Required value: resource rules must supply at least one resource"},
           {kRoles, role("r", json::array({path_rule})), "rules[0].nonResourceURLs",
            "Invalid value: []string{\"/x\"}: namespaced rules cannot apply to non-resource URLs"},
           {kClusterRoles, role("r", json::array({mixed})), "rules[0].nonResourceURLs",
            "Invalid value: []string{\"/x\"}: rules cannot apply to both regular resources and non-resource URLs"},
           {kRoles, role("a/b", json::array()), "metadata.name", "Invalid value: \"a/b\": may not contain '/'"},
           {kBindings, binding("b", "Node", "x", json::array()), "roleRef.kind",
            "Unsupported value: \"Node\": supported values: \"Role\", \"ClusterRole\""},
           {kClusterBindings, binding("b", "Role", "x", json::array()), "roleRef.kind",
            "Unsupported value: \"Role\": supported values: \"ClusterRole\""},
           {kBindings, binding("b", "Role", "", json::array()), "roleRef.name", "Required value"},
           {kBindings, binding("b", "Role", "x", subjects("Robot", "r")), "subjects[0].kind",
            "Unsupported value: \"Robot\": supported values: \"ServiceAccount\", \"User\", \"Group\""},
           {kClusterBindings, binding("b", "ClusterRole", "x", subjects("ServiceAccount", "s")),
            "subjects[0].namespace", "Required value"}}) {
    CAPTURE(entry.field);
    const Response refused = api.call("POST", entry.path, entry.object);
    CHECK(refused.code == 422);
    const json cause = json::parse(refused.body)["details"]["causes"][0];
    CHECK(cause["field"] == entry.field);
    CHECK(cause["message"] == entry.message);
  }
}

TEST_CASE("a binding keeps its role for life, and says what its apiGroups mean") {
  Api api;
  json made = binding("b", "ClusterRole", "view", subjects("User", "alice"));
  made["roleRef"].erase("apiGroup");
  made = api.ok(api.call("POST", kBindings, made), 201);
  CHECK(made["roleRef"]["apiGroup"] == kRbacGroup);
  CHECK(made["subjects"][0]["apiGroup"] == kRbacGroup);
  const json patch = {{"roleRef", {{"name", "edit"}}}};
  CHECK(message(api.call("PATCH", kBindings + "/b", patch, "application/merge-patch+json")) ==
        "RoleBinding.rbac.authorization.k8s.io \"b\" is invalid: roleRef: Invalid value: "
        "rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", Kind:\"ClusterRole\", Name:\"edit\"}: cannot change "
        "roleRef");
}

TEST_CASE("kubectl sees the columns of the real server") {
  Api api;
  const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const json all = json::array({{{"kind", "User"}, {"name", "a"}},
                                {{"kind", "User"}, {"name", "b"}},
                                {{"kind", "Group"}, {"name", "g"}},
                                {{"kind", "ServiceAccount"}, {"name", "s"}, {"namespace", "n"}}});
  api.call("POST", kBindings, binding("b", "ClusterRole", "view", all));
  const json row = api.ok(api.raw("GET", kBindings + "/b", "", "", table))["rows"][0]["cells"];
  CHECK(row[1] == "ClusterRole/view");
  CHECK(row[3] == "a, b");
  CHECK(row[4] == "g");
  CHECK(row[5] == "n/s");
  const json roles = api.ok(api.raw("GET", kClusterRoles + "/view", "", "", table));
  CHECK(roles["columnDefinitions"][1]["name"] == "Created At");
  CHECK(roles["rows"][0]["cells"][1].get<std::string>().ends_with("Z"));
}

TEST_CASE("a start gives the server's own roles back what they have lost, and leaves alone what asks for it") {
  Api api;
  const auto patch = [&](const std::string& target, const json& change) {
    return api.call("PATCH", target, change, "application/merge-patch+json").code;
  };
  const json whole = api.ok(api.call("GET", kClusterRoles + "/kubevirt.io:edit"))["rules"];
  CHECK(patch(kClusterRoles + "/kubevirt.io:edit", {{"rules", json::array()}}) == 200);
  CHECK(patch(kClusterBindings + "/system:discovery", {{"subjects", json::array()}}) == 200);
  // What an older KubeVirt let a role do, and this one does not, goes; what somebody adds to Kubernetes' roles stays.
  const json more = json::array({rule("get", "subresources.kubevirt.io", "virtualmachineinstances/vnc/screenshot")});
  CHECK(patch(kClusterRoles + "/kubevirt.io:view", {{"rules", more}}) == 200);
  CHECK(patch(kClusterRoles + "/system:basic-user", {{"rules", more}}) == 200);
  const json left_alone = {{"metadata", {{"annotations", {{"rbac.authorization.kubernetes.io/autoupdate", "false"}}}}},
                           {"rules", json::array()}};
  CHECK(patch(kClusterRoles + "/system:monitoring", left_alone) == 200);
  const auto before = api.store->version();
  REQUIRE(apply_bootstrap_policies(api.registry, *api.store, bootstrap_policies()).has_value());
  CHECK(api.store->version() > before);
  CHECK(uncovered(read_rules(api.ok(api.call("GET", kClusterRoles + "/kubevirt.io:edit"))),
                  read_rules({{"rules", whole}}))
            ->empty());
  const auto covers_more = [&](const std::string& name) {
    return uncovered(read_rules(api.ok(api.call("GET", kClusterRoles + "/" + name))), read_rules({{"rules", more}}))
        ->empty();
  };
  CHECK_FALSE(covers_more("kubevirt.io:view"));
  CHECK(covers_more("system:basic-user"));
  CHECK(api.authorizer.allows(user("guest"), at("get", "/apis")));
  CHECK(api.ok(api.call("GET", kClusterRoles + "/system:monitoring"))["rules"].empty());
  const auto settled = api.store->version();
  REQUIRE(apply_bootstrap_policies(api.registry, *api.store, bootstrap_policies()).has_value());
  CHECK(api.store->version() == settled);
  const json view = api.ok(api.call("GET", kClusterRoles + "/view"));
  CHECK(view["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults");
  CHECK(view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true");
  CHECK(view["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"] == "true");
}

TEST_CASE("reviews tell what somebody may, and why") {
  Api api;
  api.call("POST", kBindings, binding("b", "ClusterRole", "view", subjects("User", "alice")));
  const std::string reviews = "/apis/authorization.k8s.io/v1/";
  const json attributes = {
      {"verb", "list"}, {"group", "kubevirt.io"}, {"resource", "virtualmachineinstances"}, {"namespace", "default"}};
  const json about_alice = {{"spec", {{"user", "alice"}, {"resourceAttributes", attributes}}}};
  const json answer = api.ok(api.call("POST", reviews + "subjectaccessreviews", about_alice), 201);
  CHECK(answer["kind"] == "SubjectAccessReview");
  CHECK(answer["status"]["allowed"] == true);
  CHECK(answer["status"]["reason"] ==
        "RBAC: allowed by RoleBinding \"b/default\" of ClusterRole \"view\" to User \"alice\"");
  CHECK(api.ok(api.call("POST", reviews + "namespaces/default/localsubjectaccessreviews", about_alice), 201)["kind"] ==
        "LocalSubjectAccessReview");
  CHECK(api.call("POST", reviews + "namespaces/other/localsubjectaccessreviews", about_alice).code == 400);
  CHECK(api.call("POST", reviews + "subjectaccessreviews", {{"spec", {{"user", "alice"}}}}).code == 422);
  json nobody = about_alice;
  nobody["spec"].erase("user");
  CHECK(api.call("POST", reviews + "subjectaccessreviews", nobody).code == 422);

  api.user = user("alice");
  api.user.uid = "7";
  api.user.extra = {{"team", {"blue"}}};
  CHECK(api.call("POST", reviews + "subjectaccessreviews", about_alice).code == 403);
  const json own = {{"spec", {{"resourceAttributes", attributes}}}};
  CHECK(api.ok(api.call("POST", reviews + "selfsubjectaccessreviews", own), 201)["status"]["allowed"] == true);
  const json rules =
      api.ok(api.call("POST", reviews + "selfsubjectrulesreviews", {{"spec", {{"namespace", "default"}}}}), 201);
  CHECK(rules["status"]["incomplete"] == false);
  CHECK(rules["status"]["resourceRules"].dump().find("virtualmachineinstances") != std::string::npos);
  CHECK(rules["status"]["nonResourceRules"].dump().find("/openapi/*") != std::string::npos);
  CHECK(api.call("POST", reviews + "selfsubjectrulesreviews", {{"spec", json::object()}}).code == 400);
  const json self =
      api.ok(api.call("POST", "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews", json::object()), 201);
  CHECK(self["status"]["userInfo"] == json({{"username", "alice"},
                                            {"uid", "7"},
                                            {"groups", {"system:authenticated"}},
                                            {"extra", {{"team", {"blue"}}}}}));
}

TEST_CASE("impersonation: who may be somebody else, and as whom") {
  Api api;
  const auto head = [](const std::string& lines) {
    return read_impersonation(
        usbloop::http::parse_request_head("GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n")->fields);
  };
  CHECK_FALSE(head("Impersonate: x\r\n").wanted());
  const Impersonation bob = head(
      "Impersonate-User: bob\r\nimpersonate-group: a, b\r\nImpersonate-Group:c\r\n"
      "Impersonate-Uid: 5\r\nImpersonate-Extra-Acme.com%2fproject: p\r\n");
  const auto acting = impersonate(test::admin(), bob, api.authorizer);
  REQUIRE(acting.has_value());
  CHECK(acting->name == "bob");
  CHECK(acting->uid == "5");
  CHECK(acting->groups == std::vector<std::string>{"a, b", "c", "system:authenticated"});
  CHECK(acting->extra.at("acme.com/project") == std::vector<std::string>{"p"});

  const auto account =
      impersonate(test::admin(), head("Impersonate-User: system:serviceaccount:ns:ci\r\n"), api.authorizer);
  CHECK(account->groups ==
        std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"});
  CHECK(impersonate(test::admin(), head("Impersonate-User: system:anonymous\r\n"), api.authorizer)->groups ==
        std::vector<std::string>{"system:unauthenticated"});
  CHECK(impersonate(test::admin(), head("Impersonate-Group: a\r\n"), api.authorizer).error().code == 500);

  const auto refused = [&](const std::string& lines) {
    return impersonate(user("alice"), head(lines), api.authorizer).error().message;
  };
  CHECK(refused("Impersonate-User: bob\r\n") ==
        "users \"bob\" is forbidden: User \"alice\" cannot impersonate resource \"users\" in API group \"\" at the "
        "cluster scope");
  CHECK(refused("Impersonate-User: system:serviceaccount:ns:ci\r\n").find("in the namespace \"ns\"") !=
        std::string::npos);
  json users = rule("impersonate", "", "users");
  users["resourceNames"] = {"bob"};
  api.call("POST", kClusterRoles, role("as-bob", json::array({users})));
  api.call("POST", kClusterBindings, binding("as-bob", "ClusterRole", "as-bob", subjects("User", "alice")));
  CHECK(impersonate(user("alice"), head("Impersonate-User: bob\r\n"), api.authorizer).has_value());
  CHECK(refused("Impersonate-User: carol\r\n").starts_with("users \"carol\" is forbidden"));
  CHECK(refused("Impersonate-User: bob\r\nImpersonate-Group: system:masters\r\n")
            .starts_with("groups \"system:masters\""));
  CHECK(refused("Impersonate-User: bob\r\nImpersonate-Extra-Team: x\r\n") ==
        "userextras.authentication.k8s.io \"x\" is forbidden: User \"alice\" cannot impersonate resource "
        "\"userextras/team\" in API group \"authentication.k8s.io\" at the cluster scope");
}
