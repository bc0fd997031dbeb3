#include "kube-sim/objects/patch.h"

#include <doctest/doctest.h>

#include "kube-sim/objects/strategic_merge.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {
const MergeSchema kPatchSchema({"metadata.finalizers set", "status.conditions type", "spec.containers name"});

const json kObject = json::parse(R"({"metadata":{"name":"a","labels":{"x":"1"}},"spec":{"list":[1,2,3]}})");
}  // namespace

TEST_CASE("the patch type follows the Content-Type, and a strategic merge is for built-in kinds only") {
  CHECK(patch_type("application/merge-patch+json; charset=utf-8", false) == PatchType::merge);
  CHECK(patch_type("application/json-patch+json", false) == PatchType::json);
  CHECK(patch_type("application/apply-patch+yaml", false) == PatchType::apply);
  CHECK(patch_type("application/strategic-merge-patch+json", true) == PatchType::strategic_merge);
  const auto refused = patch_type("application/strategic-merge-patch+json", false);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == 415);
  CHECK(refused.error().message ==
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
}

TEST_CASE("a merge patch sets, replaces and removes") {
  const auto patched =
      apply_patch(PatchType::merge, kObject,
                  json::parse(R"({"metadata":{"labels":{"x":null,"y":"2"}},"spec":{"list":[9]}})"), kPatchSchema);
  REQUIRE(patched);
  CHECK(*patched == json::parse(R"({"metadata":{"name":"a","labels":{"y":"2"}},"spec":{"list":[9]}})"));
}

TEST_CASE("a JSON patch runs its operations, and one that does not fit is refused as a whole") {
  const auto patched = apply_patch(PatchType::json, kObject, json::parse(R"([
    {"op":"test","path":"/metadata/labels/x","value":"1"},
    {"op":"replace","path":"/metadata/labels/x","value":"2"},
    {"op":"add","path":"/spec/list/-","value":4},
    {"op":"copy","from":"/spec/list","path":"/spec/other"},
    {"op":"remove","path":"/spec/list/0"}])"),
                                   kPatchSchema);
  REQUIRE(patched);
  CHECK((*patched)["spec"] == json::parse(R"({"list":[2,3,4],"other":[1,2,3,4]})"));
  for (const char* patch :
       {R"([{"op":"test","path":"/metadata/name","value":"b"}])", R"([{"op":"remove","path":"/no"}])",
        R"([{"op":"jump","path":"/a"}])", R"([{}])", R"([{"op":"copy","from":5,"path":"/a"}])",
        R"([{"op":"remove","path":"/metadata"}])", R"([{"op":"replace","path":"","value":3}])"}) {
    CAPTURE(patch);
    const auto refused = apply_patch(PatchType::json, kObject, json::parse(patch), kPatchSchema);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == 422);
  }
}

TEST_CASE("a JSON patch that doubles the object again and again is stopped") {
  json patch = json::array();
  for (int i = 0; i < 60; ++i)
    patch.push_back({{"op", "copy"}, {"from", "/spec"}, {"path", "/spec/c" + std::to_string(i)}});
  const auto refused = apply_patch(PatchType::json, kObject, patch, kPatchSchema);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == 422);
}

TEST_CASE("copies cannot nest an object into itself again and again") {
  json patch = json::array();
  for (int i = 0; i < 100; ++i) patch.push_back({{"op", "copy"}, {"from", "/spec"}, {"path", "/spec/x"}});
  const auto refused = apply_patch(PatchType::json, kObject, patch, kPatchSchema);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == 422);
}

TEST_CASE("a JSON patch has at most ten thousand operations, which do not copy the object each") {
  json object = kObject;
  object["spec"]["big"] = std::string(1'000'000, 'x');
  json patch = json::array();
  for (int i = 0; i < 10'000; ++i) patch.push_back({{"op", "add"}, {"path", "/spec/n"}, {"value", i}});
  CHECK(apply_patch(PatchType::json, object, patch, kPatchSchema).has_value());
  patch.push_back(patch[0]);
  const auto refused = apply_patch(PatchType::json, object, patch, kPatchSchema);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == 413);
  CHECK(refused.error().message ==
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001");
}

TEST_CASE("a patch cannot nest an object deeper than documents may be") {
  json deep = 1;
  for (int i = 0; i < 60; ++i) deep = {{"d", deep}};
  json patch = {{{"op", "add"}, {"path", "/spec/a"}, {"value", deep}}};
  std::string path = "/spec/a";
  for (int i = 0; i < 60; ++i) path += "/d";
  patch.push_back({{"op", "replace"}, {"path", path}, {"value", deep}});
  const auto refused = apply_patch(PatchType::json, kObject, patch, kPatchSchema);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == 422);
}

TEST_CASE("an apply patch may be YAML") {
  const auto patch =
      parse_patch(PatchType::apply, "metadata:\n  labels: {x: '7'}\nspec:\n  number: 3\n  text: \"3\"\n");
  REQUIRE(patch);
  CHECK(*patch == json::parse(R"({"metadata":{"labels":{"x":"7"}},"spec":{"number":3,"text":"3"}})"));
  CHECK_FALSE(parse_patch(PatchType::apply, "a: [").has_value());
  CHECK_FALSE(parse_patch(PatchType::merge, "a: b").has_value());
  CHECK_FALSE(parse_patch(PatchType::merge, "[]").has_value());
}

TEST_CASE("a strategic merge joins lists by their key") {
  json node = json::parse(R"({"metadata":{"finalizers":["a"]},"status":{"conditions":[
    {"type":"Ready","status":"True","reason":"r"},{"type":"Disk","status":"False"}]}})");
  strategic_merge(node, json::parse(R"({"metadata":{"finalizers":["b","a"]},"status":{"conditions":[
    {"type":"Ready","status":"False"},{"type":"New","status":"True"},{"$patch":"delete","type":"Disk"}]}})"),
                  &kPatchSchema);
  CHECK(node == json::parse(R"({"metadata":{"finalizers":["a","b"]},"status":{"conditions":[
    {"type":"Ready","status":"False","reason":"r"},{"type":"New","status":"True"}]}})"));
  strategic_merge(node, json::parse(R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]},"status":null})"),
                  &kPatchSchema);
  CHECK(node == json::parse(R"({"metadata":{"finalizers":["b"]}})"));
  strategic_merge(node, json::parse(R"({"metadata":{"$patch":"replace","name":"x"}})"), &kPatchSchema);
  CHECK(node == json::parse(R"({"metadata":{"name":"x"}})"));
}

TEST_CASE("a strategic merge orders, keeps and replaces as its directives say") {
  const json pod = json::parse(R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"},{"name":"c"}],
    "strategy":{"type":"Rolling","rolling":{"x":1}},"tolerations":[{"key":"k"}]}})");
  json object = pod;
  strategic_merge(object, json::parse(R"({"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}],
    "containers":[{"name":"a","image":"2"},{"name":"d"}],"strategy":{"$retainKeys":["type"],"type":"Recreate"},
    "tolerations":[]}})"),
                  &kPatchSchema);
  CHECK(object ==
        json::parse(R"({"spec":{"containers":[{"name":"b"},{"name":"c"},{"name":"a","image":"2"},{"name":"d"}],
    "strategy":{"type":"Recreate"},"tolerations":[]}})"));
  object = pod;
  strategic_merge(object, json::parse(R"({"spec":{"containers":[{"$patch":"replace"},{"name":"z"}]}})"), &kPatchSchema);
  CHECK(object["spec"]["containers"] == json::parse(R"([{"name":"z"}])"));
  object = pod;
  strategic_merge(object, json::parse(R"({"spec":{"containers":[{"name":"b","$patch":"replace","image":"9"}]}})"),
                  &kPatchSchema);
  CHECK(object["spec"]["containers"][1] == json::parse(R"({"name":"b","image":"9"})"));
}

TEST_CASE("strategic merges with directives that there are not are refused") {
  for (const char* patch :
       {R"({"$patch":"jump"})", R"({"spec":{"$patch":7}})", R"({"spec":{"$retainKeys":"x"}})",
        R"({"spec":{"containers":[{"image":"no key"}]}})", R"({"spec":{"$setElementOrder/containers":7}})"}) {
    CAPTURE(patch);
    const auto refused = apply_patch(PatchType::strategic_merge, kObject, json::parse(patch), kPatchSchema);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == 400);
  }
}
