// A server that is killed while a definition takes its objects along goes on with that when it starts again.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "e2e/harness/loop.h"

using namespace usbloop::e2e;
using nlohmann::json;

namespace {

const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kDefinition = kDefinitions + "/gadgets.example.org";
const std::string kGadgets = "/apis/example.org/v1/namespaces/default/gadgets";

json definition() {
  return json::parse(R"({"metadata":{"name":"gadgets.example.org"},"spec":{"group":"example.org","scope":"Namespaced",
    "names":{"plural":"gadgets","kind":"Gadget"},"versions":[{"name":"v1","served":true,"storage":true,
    "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})");
}

json gadget(const std::string& name) {
  return {{"apiVersion", "example.org/v1"}, {"kind", "Gadget"}, {"metadata", {{"name", name}}}};
}

void make_gadgets(const Api& api, int count) {
  REQUIRE(api.create(kDefinitions, definition()).status == 201);
  REQUIRE(holds_within(20s, [&] { return api.get(kGadgets).status == 200; }));
  for (int i = 0; i < count; ++i) REQUIRE(api.create(kGadgets, gadget("g" + std::to_string(i))).status == 201);
}

void kill_and_start(Loop& loop) {
  loop.apiserver().kill_hard();
  loop.start_apiserver();
}

}  // namespace

TEST_CASE("a definition whose objects wait for others is still on its way out after kill -9, and goes in the end") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  const Api& api = loop.api();
  make_gadgets(api, 3);
  REQUIRE(api.merge_patch(kGadgets + "/g1", {{"metadata", {{"finalizers", {"example.org/wait"}}}}}).status == 200);
  REQUIRE(api.remove(kDefinition).status == 200);
  REQUIRE(holds_within(20s, [&] { return api.get(kGadgets).json().at("items").size() == 1; }));

  kill_and_start(loop);
  CHECK(api.get(kDefinition).json().at("metadata").contains("deletionTimestamp"));
  CHECK(api.get(kGadgets + "/g1").json().at("metadata").contains("deletionTimestamp"));
  CHECK(api.create(kGadgets, gadget("late")).status == 405);
  CHECK(api.get(kGadgets + "/late").status == 404);

  REQUIRE(api.merge_patch(kGadgets + "/g1", {{"metadata", {{"finalizers", nullptr}}}}).status == 200);
  CHECK(holds_within(20s, [&] { return api.get(kDefinition).status == 404; }));
  CHECK(holds_within(20s, [&] { return api.get(kGadgets).status == 404; }));
}

TEST_CASE("a server that is killed right after a definition was deleted deletes the objects when it starts again") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  const Api& api = loop.api();
  make_gadgets(api, 200);
  REQUIRE(api.remove(kDefinition).status == 200);
  kill_and_start(loop);
  CHECK(holds_within(20s, [&] { return api.get(kDefinition).status == 404; }));
  CHECK(holds_within(20s, [&] { return api.get(kGadgets).status == 404; }));
  // A definition of the same name begins without objects.
  make_gadgets(api, 0);
  CHECK(api.get(kGadgets).json().at("items").empty());
}
