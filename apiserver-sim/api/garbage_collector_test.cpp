#include "kube-sim/controllers/garbage_collector.h"

#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::comes_true;
using test::kPods;

namespace {

struct Family {
  Api api;

  std::string make(const std::string& name, const std::vector<json>& owners = {}) {
    const json pod = {{"metadata", {{"name", name}, {"ownerReferences", owners}}},
                      {"spec", {{"containers", json::array({{{"name", "c"}, {"image", "i"}}})}}}};
    return api.ok(api.call("POST", kPods, pod), 201)["metadata"]["uid"];
  }
  static json owner(const std::string& name, const std::string& uid, bool blocks = false) {
    return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", name}, {"uid", uid}, {"blockOwnerDeletion", blocks}};
  }
  void remove(const std::string& name, const char* policy) {
    api.ok(api.call("DELETE", kPods + "/" + name, {{"propagationPolicy", policy}}));
  }
  bool exists(const std::string& name) { return api.call("GET", kPods + "/" + name).code == 200; }
  json get(const std::string& name) { return json::parse(api.call("GET", kPods + "/" + name).body); }
};

}  // namespace

TEST_CASE("in the background an owner goes at once and what it owns follows, down to the last generation") {
  Family family;
  const GarbageCollector collector(family.api.registry, *family.api.store, family.api.hub);
  const std::string a = family.make("a");
  const std::string b = family.make("b", {Family::owner("a", a)});
  family.make("c", {Family::owner("b", b)});
  family.make("other");
  family.remove("a", "Background");
  CHECK_FALSE(family.exists("a"));
  CHECK(comes_true([&] { return !family.exists("b") && !family.exists("c"); }));
  CHECK(family.exists("other"));
}

TEST_CASE("what was orphaned while nobody looked is found at the start") {
  Family family;
  family.make("lost", {Family::owner("never", "1-2-3")});
  const std::string a = family.make("a");
  family.make("kept", {Family::owner("a", a)});
  const GarbageCollector collector(family.api.registry, *family.api.store, family.api.hub);
  CHECK(comes_true([&] { return !family.exists("lost"); }));
  CHECK(family.exists("kept"));
}

TEST_CASE("an object with a second owner stays, without the reference to the first") {
  Family family;
  const GarbageCollector collector(family.api.registry, *family.api.store, family.api.hub);
  const std::string a = family.make("a");
  const std::string b = family.make("b");
  family.make("child", {Family::owner("a", a), Family::owner("b", b)});
  family.remove("a", "Background");
  CHECK(comes_true([&] { return family.get("child")["metadata"]["ownerReferences"].size() == 1; }));
  CHECK(family.get("child")["metadata"]["ownerReferences"][0]["uid"] == b);
}

TEST_CASE("in the foreground the owner goes after the objects that block it") {
  Family family;
  const GarbageCollector collector(family.api.registry, *family.api.store, family.api.hub);
  const std::string a = family.make("a");
  family.make("child", {Family::owner("a", a, true)});
  family.api.call("PATCH", kPods + "/child", {{"metadata", {{"finalizers", {"test/hold"}}}}},
                  "application/merge-patch+json");
  family.remove("a", "Foreground");
  CHECK(comes_true([&] { return family.get("child")["metadata"].contains("deletionTimestamp"); }));
  CHECK(family.get("a")["metadata"]["finalizers"] == json::array({"foregroundDeletion"}));
  family.api.call("PATCH", kPods + "/child", {{"metadata", {{"finalizers", nullptr}}}}, "application/merge-patch+json");
  CHECK(comes_true([&] { return !family.exists("child") && !family.exists("a"); }));
}

TEST_CASE("orphans stay, without their owner") {
  Family family;
  const GarbageCollector collector(family.api.registry, *family.api.store, family.api.hub);
  const std::string a = family.make("a");
  family.make("child", {Family::owner("a", a, true)});
  family.remove("a", "Orphan");
  CHECK(comes_true([&] { return !family.exists("a"); }));
  CHECK_FALSE(family.get("child")["metadata"].contains("ownerReferences"));
}

TEST_CASE("an owner of a kind that is not known here is taken to exist") {
  Family family;
  json stranger = Family::owner("d", "4-5-6");
  stranger["kind"] = "Rollout";
  stranger["apiVersion"] = "argoproj.io/v1alpha1";
  const std::string a = family.make("a");
  family.make("child", {stranger, Family::owner("a", a)});
  const GarbageCollector collector(family.api.registry, *family.api.store, family.api.hub);
  family.remove("a", "Background");
  CHECK(comes_true([&] { return family.get("child")["metadata"]["ownerReferences"].size() == 1; }));
}
