#include "kube-sim/controllers/custom_kinds.h"

#include <doctest/doctest.h>

#include "apiserver-sim/kinds/all_kinds.h"
#include "apiserver-sim/test_support.h"
#include "kube-sim/objects/table.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using usbloop::text_at;

namespace {

const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kGadgets = "/apis/example.org/v1/namespaces/default/gadgets";

json gadget_definition() {
  return json::parse(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
    "metadata":{"name":"gadgets.example.org"},"spec":{"group":"example.org","scope":"Namespaced",
    "names":{"plural":"gadgets","kind":"Gadget","shortNames":["gd"]},"versions":[{"name":"v1","served":true,
    "storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",
    "properties":{"size":{"type":"integer","default":2}}}}}}}]}})");
}

bool is_served(Api& api) { return api.registry.find("example.org", "v1", "gadgets") != nullptr; }

}  // namespace

TEST_CASE("a user's definition is served while it is there, also by a server that starts with it") {
  Api api;
  {
    const CustomKinds kinds(api.registry, *api.store, api.hub);
    api.ok(api.call("POST", kDefinitions, gadget_definition()), 201);
    REQUIRE(test::comes_true([&] { return is_served(api); }));
    const json made = api.ok(api.call("POST", kGadgets, {{"metadata", {{"name", "g"}}}, {"spec", {{"no", 1}}}}), 201);
    CHECK(made["spec"] == json{{"size", 2}});
    CHECK(api.call("POST", kGadgets, {{"metadata", {{"name", "h"}}}, {"spec", {{"size", "x"}}}}).code == 422);
    const auto is_established = [&] {
      return condition_status(api.get(kDefinitions + "/gadgets.example.org"), "Established") == "True";
    };
    REQUIRE(test::comes_true(is_established));
  }
  api.registry.remove_custom("gadgets.example.org");
  REQUIRE_FALSE(is_served(api));
  const CustomKinds kinds(api.registry, *api.store, api.hub);
  REQUIRE(is_served(api));
  CHECK(api.get(kGadgets + "/g")["spec"]["size"] == 2);
  api.ok(api.call("DELETE", kDefinitions + "/gadgets.example.org"));
  CHECK(test::comes_true([&] { return !is_served(api); }));
  CHECK(api.store->list("gadgets.example.org", "").objects.empty());
}

TEST_CASE("there is room for 500 definitions, and for another one when one goes") {
  Api api;
  const auto name_of = [](std::size_t i) { return "k" + std::to_string(1000 + i) + "s"; };
  for (std::size_t i = 0; i <= kMostCustomKinds; ++i) {
    json definition = gadget_definition();
    definition["metadata"]["name"] = name_of(i) + ".example.org";
    definition["spec"]["names"] = {{"plural", name_of(i)}, {"kind", "K" + std::to_string(i)}};
    api.ok(api.call("POST", kDefinitions, definition), 201);
  }
  const CustomKinds kinds(api.registry, *api.store, api.hub);
  const std::string last = kDefinitions + "/" + name_of(kMostCustomKinds) + ".example.org";
  const auto established = [&](const std::string& path) {
    for (const json& condition : api.get(path)["status"].value("conditions", json::array())) {
      if (condition["type"] == "Established")
        return condition["status"] == "True" ? "True" : text_at(condition, "/reason");
    }
    return std::string();
  };
  REQUIRE(test::comes_true([&] { return established(last) == "TooManyDefinitions"; }));
  CHECK(api.registry.find("example.org", "v1", name_of(kMostCustomKinds)) == nullptr);
  CHECK(established(kDefinitions + "/" + name_of(kMostCustomKinds - 1) + ".example.org") == "True");
  api.ok(api.call("DELETE", kDefinitions + "/" + name_of(7) + ".example.org"));
  REQUIRE(test::comes_true([&] { return established(last) == "True"; }));
  CHECK(api.registry.find("example.org", "v1", name_of(kMostCustomKinds)) != nullptr);
}

TEST_CASE("definitions that cannot be served are refused or say so") {
  Api api;
  json wrong = gadget_definition();
  wrong["metadata"]["name"] = "other.example.org";
  CHECK(api.call("POST", kDefinitions, wrong).code == 422);
  wrong = gadget_definition();
  wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {{"type", "string"}};
  CHECK(api.call("POST", kDefinitions, wrong).code == 422);
  wrong = gadget_definition();
  wrong["spec"]["versions"][0]["storage"] = false;
  CHECK(api.call("POST", kDefinitions, wrong).code == 422);
}

TEST_CASE("a kind costs one schema file") {
  auto texts = all_schemas();
  texts.push_back(R"(
package org.example.v1 tools.example.org/v1
kind Hammer: A tool.
  @names hammers hm
  @status
  @default .spec.weight 5
  @column Weight integer .spec.weight How heavy it is.
  spec HammerSpec What is wished.
type HammerSpec: What is wished.
  weight int32 How heavy it is.
)");
  const Registry registry(all_kinds(), {}, texts);
  const ResourcePtr hammers = registry.find("tools.example.org", "v1", "hammers");
  REQUIRE(hammers != nullptr);
  CHECK(hammers->info().short_names == std::vector<std::string>{"hm"});
  json hammer = {{"metadata", {{"name", "h"}}}, {"spec", json::object()}};
  hammers->add_defaults(hammer);
  CHECK(hammer["spec"]["weight"] == 5);
  CHECK(hammers->cells(hammer, 0) == json::array({"h", 5}));
}
