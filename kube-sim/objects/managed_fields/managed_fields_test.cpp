#include <doctest/doctest.h>

#include "kube-sim/objects/managed_fields/conflicts.h"
#include "kube-sim/objects/managed_fields/field_manager.h"
#include "kube-sim/objects/managed_fields/field_walk.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

const MergeSchema kSchema({"spec.ports port,protocol", "spec.tags set", "spec.selector atomic",
                           "spec.ports[].conditions type"});

FieldSet fields(const char* text) {
  auto set = FieldSet::from_json(json::parse(text));
  REQUIRE(set);
  return *set;
}

FieldOwner applier(const std::string& name, const std::string& now = "t1") { return {{name, true, "v1", ""}, now}; }
FieldOwner updater(const std::string& name, const std::string& now = "t1") { return {{name, false, "v1", ""}, now}; }

json object(const char* spec) {
  return {{"apiVersion", "v1"}, {"kind", "Thing"}, {"metadata", {{"name", "a"}}}, {"spec", json::parse(spec)}};
}

json applied(const json* live, const char* spec, const FieldOwner& owner, bool force = false) {
  auto result = apply_configuration(live, object(spec), owner, force, kSchema);
  REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
  return *result;
}

/// The fields of one manager in an object's record; null when it has none.
json owned_by(const json& thing, const std::string& manager) {
  for (const json& entry : thing["metadata"].value("managedFields", json::array())) {
    if (entry["manager"] == manager) return entry["fieldsV1"];
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a set of fields is read and written as FieldsV1") {
  const char* text =
      R"({"f:spec":{".":{},"f:a":{},"f:list":{"k:{\"name\":\"x\"}":{".":{},"f:b":{}},"v:7":{},"i:0":{}}}})";
  const FieldSet set = fields(text);
  CHECK(set.to_json() == json::parse(text));
  CHECK(set.paths() == std::vector<std::string>{".spec", ".spec.a", ".spec.list[0]", ".spec.list[name=\"x\"]",
                                                ".spec.list[name=\"x\"].b", ".spec.list[=7]"});
}

TEST_CASE("what is no FieldsV1 is refused, hostile keys too") {
  for (const char* text : {"[]", "7", R"({"x":{}})", R"({"f":{}})", R"({"f:a":7})", R"({"f:a":[]})", R"({"k:x":{}})",
                           R"({"k:[1]":{}})", R"({"v:":{}})", R"({"i:x":{}})", R"({"i:":{}})", R"({"q:a":{}})",
                           R"({"k:{\"a\":[[]]}":{}})", R"({"v:[1]":{}})"}) {
    CAPTURE(text);
    CHECK_FALSE(FieldSet::from_json(json::parse(text)).has_value());
  }
  json deep = json::object();
  deep["v:" + std::string(100'000, '[')] = json::object();
  CHECK_FALSE(FieldSet::from_json(deep).has_value());
}

TEST_CASE("sets are united, subtracted and intersected, a container apart from what is in it") {
  FieldSet set = fields(R"({"f:a":{".":{},"f:x":{},"f:y":{}},"f:b":{}})");
  set.subtract(fields(R"({"f:a":{"f:x":{}},"f:b":{"f:below":{}}})"));
  CHECK(set.to_json() == json::parse(R"({"f:a":{".":{},"f:y":{}},"f:b":{}})"));
  set.unite(fields(R"({"f:c":{}})"));
  set.intersect(fields(R"({"f:a":{"f:y":{}},"f:c":{},"f:d":{}})"));
  CHECK(set.to_json() == json::parse(R"({"f:a":{"f:y":{}},"f:c":{}})"));
  set.subtract(fields(R"({"f:a":{"f:y":{}},"f:c":{}})"));
  CHECK(set.empty());
}

TEST_CASE("the places of a configuration are its leaves and the items of its keyed lists") {
  const json config = json::parse(R"({"a":1,"empty":{},"atomic":[1,2],"spec":{"tags":["x"],"selector":{"q":1},
      "ports":[{"port":80,"name":"n"}]}})");
  CHECK(places_of(config, &kSchema).to_json() == json::parse(R"({"f:a":{},"f:empty":{},"f:atomic":{},"f:spec":{
      "f:tags":{"v:\"x\"":{}},"f:selector":{},
      "f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:name":{}}}}})"));
}

TEST_CASE("a comparison tells what was added, removed and modified") {
  const Comparison changes =
      compare(json::parse(R"({"a":1,"b":{"c":1},"spec":{"ports":[{"port":1},{"port":2,"n":1}]}})"),
              json::parse(R"({"a":2,"d":{"e":1},"spec":{"ports":[{"port":2,"n":2},{"port":3}]}})"), &kSchema);
  const auto item = [](int port) { return "k:{\"port\":" + std::to_string(port) + ",\"protocol\":\"TCP\"}"; };
  CHECK(changes.modified.to_json() ==
        json({{"f:a", json::object()}, {"f:spec", {{"f:ports", {{item(2), {{"f:n", json::object()}}}}}}}}));
  CHECK(changes.added.to_json()["f:d"] == json::parse(R"({".":{},"f:e":{}})"));
  CHECK(changes.added.to_json()["f:spec"]["f:ports"].contains(item(3)));
  CHECK(changes.removed.to_json()["f:b"] == json::parse(R"({".":{},"f:c":{}})"));
  CHECK(changes.removed.to_json()["f:spec"]["f:ports"].contains(item(1)));
  CHECK(compare(json::parse(R"({"a":null,"l":{}})"), json::parse(R"({"l":{}})"), nullptr).same());
}

TEST_CASE("a configuration is laid over the live object by the keys of its lists") {
  const json live = json::parse(R"({"spec":{"x":1,"ports":[{"port":1,"n":"old"},{"port":2},{"port":3,"m":1}],
      "tags":["a","b"],"selector":{"p":1},"plain":[1,2]}})");
  const json config = json::parse(R"({"spec":{"ports":[{"port":3,"n":"new"},{"port":9},{"port":1,"n":"new"}],
      "tags":["c","b"],"selector":{"q":1},"plain":[3]}})");
  CHECK(merged(live, config, &kSchema)["spec"] == json::parse(R"({"x":1,"ports":[{"port":3,"m":1,"n":"new"},{"port":9},
      {"port":2},{"port":1,"n":"new"}],"tags":["c","a","b"],"selector":{"q":1},"plain":[3]})"));
}

TEST_CASE("who creates by apply owns what it applied, the same again changes nothing") {
  const json made = applied(nullptr, R"({"a":1,"b":{"c":2}})", applier("one"));
  CHECK(owned_by(made, "one") == json::parse(R"({"f:spec":{"f:a":{},"f:b":{"f:c":{}}}})"));
  CHECK(made["metadata"]["managedFields"][0]["operation"] == "Apply");
  CHECK(applied(&made, R"({"a":1,"b":{"c":2}})", applier("one", "t2")) == made);
}

TEST_CASE("a field that another manager owns is a conflict, unless the value is the same or force is given") {
  const json made = applied(nullptr, R"({"a":1,"b":2})", applier("one"));
  const auto refused = apply_configuration(&made, object(R"({"a":7,"b":2})"), applier("two"), false, kSchema);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == 409);
  CHECK(refused.error().message == "Apply failed with 1 conflict: conflict with \"one\": .spec.a");
  REQUIRE(refused.error().causes.size() == 1);
  CHECK(refused.error().causes[0] ==
        usbloop::kube::StatusCause{"FieldManagerConflict", "conflict with \"one\"", ".spec.a"});
  const json shared = applied(&made, R"({"b":2})", applier("two"));
  CHECK(owned_by(shared, "one") == json::parse(R"({"f:spec":{"f:a":{},"f:b":{}}})"));
  CHECK(owned_by(shared, "two") == json::parse(R"({"f:spec":{"f:b":{}}})"));
  const json forced = applied(&shared, R"({"a":7,"b":2})", applier("two"), true);
  CHECK(forced["spec"]["a"] == 7);
  CHECK(owned_by(forced, "one") == json::parse(R"({"f:spec":{"f:b":{}}})"));
}

TEST_CASE("conflicts with several managers are listed by manager") {
  json thing = object(R"({"a":1})");
  track_update(nullptr, thing, updater("kubectl-edit"), kSchema);
  thing = applied(&thing, R"({"b":1,"c":1})", applier("one"));
  const auto refused = apply_configuration(&thing, object(R"({"a":2,"b":2,"c":2})"), applier("two"), false, kSchema);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message ==
        "Apply failed with 3 conflicts: conflicts with \"kubectl-edit\" using v1:\n- .spec.a\nconflicts with "
        "\"one\":\n- .spec.b\n- .spec.c");
}

TEST_CASE("a field that its only owner applies no more goes, one with another owner stays") {
  const json made =
      applied(nullptr, R"({"a":1,"b":2,"ports":[{"port":1},{"port":2}],"labels":{"x":"1"}})", applier("one"));
  const json shared = applied(&made, R"({"b":2,"ports":[{"port":2}]})", applier("two"));
  const json left = applied(&shared, R"({"a":1})", applier("one"));
  CHECK(left["spec"] == json::parse(R"({"a":1,"b":2,"ports":[{"port":2}]})"));
  CHECK(owned_by(left, "one") == json::parse(R"({"f:spec":{"f:a":{}}})"));
}

TEST_CASE("an update takes what it changes from its owners, and what it removes from everybody") {
  const json made = applied(nullptr, R"({"a":1,"b":2,"c":3})", applier("one"));
  json changed = made;
  changed["spec"] = json::parse(R"({"a":5,"b":2})");
  track_update(&made, changed, updater("edit", "t2"), kSchema);
  CHECK(owned_by(changed, "one") == json::parse(R"({"f:spec":{"f:b":{}}})"));
  CHECK(owned_by(changed, "edit") == json::parse(R"({"f:spec":{"f:a":{}}})"));
  json same = changed;
  track_update(&changed, same, updater("edit", "t3"), kSchema);
  CHECK(same == changed);  // the time too
}

TEST_CASE("a client may rewrite the record, forget it with [{}], and loses nothing by leaving it out") {
  const json made = applied(nullptr, R"({"a":1})", applier("one"));
  json without = made;
  without["metadata"].erase("managedFields");
  track_update(&made, without, updater("put"), kSchema);
  CHECK(without == made);
  json garbled = made;
  garbled["metadata"]["managedFields"] = json::parse(R"([{"manager":"x","operation":"Jump"}])");
  track_update(&made, garbled, updater("put"), kSchema);
  CHECK(garbled == made);
  json renamed = made;
  renamed["metadata"]["managedFields"][0]["manager"] = "other";
  track_update(&made, renamed, updater("put"), kSchema);
  CHECK(owned_by(renamed, "other") == json::parse(R"({"f:spec":{"f:a":{}}})"));
  json forgotten = made;
  forgotten["metadata"]["managedFields"] = json::array({json::object()});
  track_update(&made, forgotten, updater("put"), kSchema);
  CHECK_FALSE(forgotten["metadata"].contains("managedFields"));
  json later = forgotten;
  later["spec"]["a"] = 2;
  track_update(&forgotten, later, updater("put"), kSchema);
  CHECK_FALSE(later["metadata"].contains("managedFields"));
  const json adopted = applied(&later, R"({"b":1})", applier("one"));
  CHECK(owned_by(adopted, "before-first-apply")["f:spec"].contains("f:a"));
}

TEST_CASE("kubectl takes over what its client-side apply set, and keeps the annotation up to date") {
  json thing = object(R"({"a":1})");
  const std::string annotation = "kubectl.kubernetes.io/last-applied-configuration";
  thing["metadata"]["annotations"] = {{annotation, object(R"({"a":1})").dump()}};
  track_update(nullptr, thing, updater("kubectl-client-side-apply"), kSchema);
  CHECK_FALSE(apply_configuration(&thing, object(R"({"a":2})"), applier("other"), false, kSchema).has_value());
  const json taken = applied(&thing, R"({"a":2})", applier("kubectl"));
  CHECK(taken["spec"]["a"] == 2);
  const std::string now = taken["metadata"]["annotations"][annotation];
  CHECK(json::parse(now)["spec"]["a"] == 2);
}

TEST_CASE("subresources own their own part, the object's names belong to nobody") {
  json thing = object(R"({"a":1})");
  track_update(nullptr, thing, updater("maker"), kSchema);
  CHECK(owned_by(thing, "maker") == json::parse(R"({"f:spec":{".":{},"f:a":{}}})"));
  json reported = thing;
  reported["status"] = {{"phase", "x"}};
  track_update(&thing, reported, {{"node", false, "v1", "status"}, "t2"}, kSchema);
  CHECK(owned_by(reported, "node") == json::parse(R"({"f:status":{".":{},"f:phase":{}}})"));
  CHECK(reported["metadata"]["managedFields"].back()["subresource"] == "status");
}

TEST_CASE("a client that invents managers joins the oldest into one record") {
  json thing = object(R"({"a":0})");
  for (int i = 0; i < 40; ++i) {
    json next = thing;
    next["spec"]["f" + std::to_string(i)] = i;
    track_update(i == 0 ? nullptr : &thing, next, updater("m" + std::to_string(i), "t" + std::to_string(100 + i)),
                 kSchema);
    thing = next;
  }
  CHECK(thing["metadata"]["managedFields"].size() == 10);
  CHECK(owned_by(thing, "ancient-changes")["f:spec"].contains("f:f0"));
  CHECK(owned_by(thing, "m39")["f:spec"].contains("f:f39"));
}

TEST_CASE("configurations that cannot be applied are refused") {
  const auto refused = [](const json& config) {
    const auto result = apply_configuration(nullptr, config, applier("one"), false, kSchema);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == 400);
    return result.error().message;
  };
  json config = object("{}");
  config["apiVersion"] = "v2";
  CHECK(refused(config) == "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1");
  config = object("{}");
  config["metadata"]["managedFields"] = json::array();
  CHECK(refused(config) == "metadata.managedFields must be nil");
  CHECK(refused(object(R"({"ports":[{"name":"x"}]})"))
            .find("associative list with keys has an element that omits key field \"port\"") != std::string::npos);
  CHECK(refused(object(R"({"ports":[{"port":1},{"port":1}]})")).find("duplicate entries for key") != std::string::npos);
}
