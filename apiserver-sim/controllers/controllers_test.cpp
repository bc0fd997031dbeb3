#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "apiserver-sim/api/time.h"
#include "apiserver-sim/controllers/namespace_controller.h"
#include "apiserver-sim/controllers/scheduler.h"
#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kVmis;
using test::vmi;

namespace {

const std::string kMerge = "application/merge-patch+json";

json node(std::int64_t heartbeat, const char* ready = "True") {
  const json condition = {{"type", "Ready"}, {"status", ready}, {"lastHeartbeatTime", format_time(heartbeat)}};
  return {{"metadata", {{"name", "n1"}, {"labels", {{"disk", "fast"}}}}},
          {"status", {{"conditions", json::array({condition})}}}};
}

/// Polls a condition that other threads bring about.
template <typename Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

json get(Api& api, const std::string& path) {
  const Response response = api.call("GET", path);
  return response.code == 200 ? json::parse(response.body) : json();
}

}  // namespace

TEST_CASE("a node fits when it is ready, fresh, open and has the labels that are asked for") {
  const std::int64_t now = now_seconds();
  json wish = vmi("a");
  CHECK(node_fits(node(now), wish, now));
  CHECK_FALSE(node_fits(node(now, "False"), wish, now));
  CHECK_FALSE(node_fits(node(now, "Unknown"), wish, now));
  CHECK(node_fits(node(now - 39), wish, now));
  CHECK_FALSE(node_fits(node(now - 40), wish, now));
  CHECK_FALSE(node_fits({{"metadata", {{"name", "n1"}}}}, wish, now));
  json closed = node(now);
  closed["spec"]["unschedulable"] = true;
  CHECK_FALSE(node_fits(closed, wish, now));
  wish["spec"]["nodeSelector"] = {{"disk", "fast"}};
  CHECK(node_fits(node(now), wish, now));
  wish["spec"]["nodeSelector"]["gpu"] = "yes";
  CHECK_FALSE(node_fits(node(now), wish, now));
}

TEST_CASE("a VMI gets a node as soon as there is one, and the label says which") {
  Api api;
  const Scheduler scheduler(api.registry, *api.store, api.hub);
  api.call("POST", kVmis, vmi("before"));
  api.call("POST", "/api/v1/nodes", node(now_seconds()));
  api.call("POST", kVmis, vmi("after"));
  for (const char* name : {"before", "after"}) {
    CAPTURE(name);
    json seen;
    CHECK(comes_true([&] {
      seen = get(api, std::string(kVmis) + "/" + name);
      return seen["status"].value("nodeName", "") == "n1";
    }));
    CHECK(seen["metadata"]["labels"]["kubevirt.io/nodeName"] == "n1");
    CHECK(seen["status"]["phase"] == "Pending");
  }
}

TEST_CASE("VMIs are spread over the nodes") {
  Api api;
  for (const char* name : {"n1", "n2"}) {
    json object = node(now_seconds());
    object["metadata"]["name"] = name;
    api.call("POST", "/api/v1/nodes", object);
  }
  for (int i = 0; i < 6; ++i) api.call("POST", kVmis, vmi("v" + std::to_string(i)));
  const Scheduler scheduler(api.registry, *api.store, api.hub);
  const auto on = [&](const char* name) {
    return get(api, std::string(kVmis) + "?fieldSelector=status.nodeName%3D" + name)["items"].size();
  };
  CHECK(comes_true([&] { return on("n1") + on("n2") == 6; }));
  CHECK(on("n1") == 3);
}

TEST_CASE("a node that has fallen silent is no longer ready") {
  Api api;
  api.call("POST", "/api/v1/nodes", node(now_seconds() - 100));
  const Scheduler scheduler(api.registry, *api.store, api.hub);
  CHECK(comes_true([&] { return get(api, "/api/v1/nodes/n1")["status"]["conditions"][0]["status"] == "Unknown"; }));
}

TEST_CASE("a deleted namespace goes with what is in it, after the last finalizer") {
  Api api;
  const NamespaceController controller(api.registry, *api.store, api.hub);
  api.call("POST", kVmis, vmi("loose"));
  api.call("POST", kVmis, vmi("held"));
  api.call("PATCH", std::string(kVmis) + "/held", {{"status", {{"nodeName", "n1"}}}}, kMerge);
  CHECK(api.ok(api.call("DELETE", "/api/v1/namespaces/default"))["status"]["phase"] == "Terminating");
  CHECK(comes_true([&] { return get(api, std::string(kVmis) + "/loose").is_null(); }));
  CHECK(comes_true([&] { return get(api, std::string(kVmis) + "/held")["metadata"].contains("deletionTimestamp"); }));
  const Response refused = api.call("POST", kVmis, vmi("late"));
  CHECK(refused.code == 403);
  CHECK(json::parse(refused.body)["message"] ==
        "unable to create new content in namespace default because it is being terminated");
  api.call("PATCH", std::string(kVmis) + "/held", {{"metadata", {{"finalizers", nullptr}}}}, kMerge);
  CHECK(comes_true([&] { return api.call("GET", "/api/v1/namespaces/default").code == 404; }));
}
