#include <doctest/doctest.h>

#include <map>

#include "apiserver-sim/kinds/all_kinds.h"
#include "common/kube/encoding.h"
#include "kube-sim/objects/object_writer.h"

using namespace usbloop::apiserver;
namespace kube = usbloop::kube;
using nlohmann::json;

TEST_CASE("what the server adds to a new object leaves it valid, so that it is validated once") {
  const Registry registry(all_kinds(), {}, all_schemas());
  WatchHub hub(10);
  const auto store = Store::open(make_memory_journal(), registry.field_reader(), hub);
  REQUIRE(store);
  ObjectWriter writer(**store);
  REQUIRE(writer.create(*registry.find_qualified("namespaces"), "", {{"metadata", {{"name", "default"}}}}, false));
  const User admin{"admin", "", {"system:masters", "system:authenticated"}};
  const json vmi_spec = {{"domain", {{"devices", {{"clientPassthrough", json::object()}}}}}};
  const json containers = json::array({{{"name", "c"}, {"image", "none"}}});
  const json selected = {{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", {{"containers", containers}}}};
  const json workload = {{"selector", {{"matchLabels", {{"app", "web"}}}}}, {"template", selected}};
  const json ref = {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "view"}};
  const json version = {
      {"name", "v1"}, {"served", true}, {"storage", true}, {"schema", {{"openAPIV3Schema", {{"type", "object"}}}}}};
  const std::string pem = "-----BEGIN CERTIFICATE REQUEST-----";
  const std::map<std::string, json> specs = {
      {"pods", {{"spec", {{"containers", containers}}}}},
      {"namespaces", json::object()},
      {"nodes", {{"status", {{"phase", "x"}}}}},
      {"services", {{"spec", {{"ports", json::array({{{"port", 80}}})}}}}},
      {"deployments.apps", {{"spec", workload}}},
      {"daemonsets.apps", {{"spec", workload}}},
      {"poddisruptionbudgets.policy", {{"spec", json::object()}}},
      {"roles.rbac.authorization.k8s.io", json::object()},
      {"clusterroles.rbac.authorization.k8s.io", json::object()},
      {"rolebindings.rbac.authorization.k8s.io",
       {{"roleRef", ref}, {"subjects", json::array({{{"kind", "User"}, {"name", "u"}}})}}},
      {"certificatesigningrequests.certificates.k8s.io",
       {{"spec", {{"signerName", "a.b/c"}, {"usages", {"client auth"}}, {"request", kube::base64_encode(pem)}}}}},
      {"customresourcedefinitions.apiextensions.k8s.io",
       {{"spec",
         {{"group", "example.org"},
          {"scope", "Namespaced"},
          {"names", {{"plural", "new"}, {"kind", "New"}}},
          {"versions", json::array({version})}}}}},
      {"virtualmachineinstances.kubevirt.io", {{"spec", vmi_spec}}},
      {"virtualmachines.kubevirt.io", {{"spec", {{"runStrategy", "Halted"}, {"template", {{"spec", vmi_spec}}}}}}},
      {"kubevirts.kubevirt.io", {{"spec", json::object()}}}};
  for (const auto& [qualified, rest] : specs) {
    CAPTURE(qualified);
    const Resource* kind = registry.find_qualified(qualified);
    REQUIRE(kind);
    json object = rest;
    object["metadata"]["name"] = qualified.starts_with("custom") ? "new.example.org" : "new";
    if (!kind->takes_status_at_creation()) object["status"] = {{"conditions", "of the wrong type"}};
    const auto made = writer.create(*kind, kind->info().namespaced ? "default" : "", object, true, {.user = admin});
    CHECK_MESSAGE(made, (made ? "" : made.error().message));
    if (!made) continue;
    for (const kube::StatusCause& cause : kind->validate((*made)->parse())) {
      FAIL_CHECK(cause.field << ": " << cause.message);
    }
  }
}
