#include "apiserver-sim/metrics/metrics.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "apiserver-sim/test_support.h"
#include "common/metrics/check_exposition.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kMerge;
using test::kVmis;
using test::vmi;

namespace {

const std::string kUsbredir =
    "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachineinstances/demo/usbredir";

struct Counted : Api {
  Metrics metrics{registry, *store, hub, "0.0.0"};
  std::vector<RequestObserver*> observers = metrics.observers();

  /// Tells the metrics of one request from its head to its answer.
  void request(const std::string& method, const std::string& target, int code, bool long_running = false) {
    const auto parsed = parse_target(target);
    REQUIRE(parsed);
    const usbloop::http::Head head;
    const Request request{method, parsed->path, parsed->query, "", "", "", test::admin()};
    const RequestInfo info = read_request_info(request);
    const std::string client = "127.0.0.1:1";
    Observation observation(observers, {head, request, info, client, long_running, {}, {}, 0});
    observation.answers(code);
  }

  [[nodiscard]] usbloop::metrics::test::Page page() const {
    auto page = usbloop::metrics::test::read_page(metrics.page());
    CHECK_MESSAGE(page.fault.empty(), page.fault);
    return page;
  }
};

}  // namespace

TEST_CASE("requests are counted under kube-apiserver's names") {
  Counted api;
  api.request("GET", "/api/v1/nodes", 200);
  api.request("GET", "/api/v1/nodes/n1", 404);
  api.request("PATCH", std::string(kVmis) + "/demo?dryRun=All", 200);
  api.request("GET", "/livez", 200);
  const auto page = api.page();
  const std::string rest = "subresource=\"\",verb=";
  CHECK(page.value("apiserver_request_total{code=\"200\",component=\"apiserver\",dry_run=\"\",group=\"\",resource="
                   "\"nodes\",scope=\"cluster\"," +
                   rest + "\"LIST\",version=\"v1\"}") == 1);
  CHECK(page.value("apiserver_request_total{code=\"404\",component=\"apiserver\",dry_run=\"\",group=\"\",resource="
                   "\"nodes\",scope=\"resource\"," +
                   rest + "\"GET\",version=\"v1\"}") == 1);
  CHECK(page.value("apiserver_request_total{code=\"200\",component=\"apiserver\",dry_run=\"All\",group=\"kubevirt.io\","
                   "resource=\"virtualmachineinstances\",scope=\"resource\"," +
                   rest + "\"PATCH\",version=\"v1\"}") == 1);
  CHECK(page.value("apiserver_current_inflight_requests{request_kind=\"readOnly\"}") == 0);
  CHECK(page.has("apiserver_current_inflight_requests{request_kind=\"mutating\"}"));
}

TEST_CASE("what clients make up makes no series of its own") {
  Counted api;
  const auto before = api.page().samples.size();
  for (int i = 0; i < 50; ++i) {
    const std::string made_up = "x" + std::to_string(i);
    api.request("GET", "/apis/" + made_up + "/v1/namespaces/default/things/" + made_up, 404);
    api.request("GET", "/api/v1/namespaces/" + made_up + "/nodes/n/" + made_up, 404);
    api.request("GET", "/" + made_up, 404);
    api.request(made_up, "/" + made_up, 404);
    api.request(
        "GET",
        "/apis/subresources.kubevirt.io/v1/namespaces/" + made_up + "/virtualmachineinstances/" + made_up + "/usbredir",
        404, true);
  }
  CHECK(api.page().samples.size() < before + 150);
}

TEST_CASE("connections to a VMI are counted as virt-api does, and forgotten with it") {
  Counted api;
  api.call("POST", kVmis, vmi("demo"));
  const std::string labels = "{namespace=\"default\",vmi=\"demo\"}";
  api.request("GET", kUsbredir, 403, true);
  CHECK_FALSE(api.page().has("kubevirt_vmi_last_api_connection_timestamp_seconds" + labels));
  api.request("GET", kUsbredir, 500, true);
  api.request("GET", kUsbredir, 101, true);
  auto page = api.page();
  CHECK(page.has("kubevirt_usbredir_active_connections" + labels));
  CHECK(page.value("kubevirt_usbredir_active_connections" + labels) == 0);
  CHECK(page.value("kubevirt_vmi_last_api_connection_timestamp_seconds" + labels) > 1.6e9);
  CHECK(page.value("usbloop_relay_refusals_total{code=\"500\",subresource=\"usbredir\"}") == 1);
  CHECK(page.value("usbloop_relay_session_duration_seconds_count{subresource=\"usbredir\"}") == 1);
  api.call("DELETE", std::string(kVmis) + "/demo");
  api.call("PATCH", std::string(kVmis) + "/demo", {{"metadata", {{"finalizers", nullptr}}}}, kMerge);
  page = api.page();
  CHECK_FALSE(page.has("kubevirt_usbredir_active_connections" + labels));
  CHECK_FALSE(page.has("kubevirt_vmi_last_api_connection_timestamp_seconds" + labels));
}

TEST_CASE("objects are shown as they are at the scrape") {
  Counted api;
  for (const char* name : {"a", "b"}) api.call("POST", kVmis, vmi(name));
  const json running = {{"status", {{"phase", "Running"}, {"nodeName", "n1"}}}};
  api.user = test::node_user();
  CHECK(api.call("PATCH", std::string(kVmis) + "/a", running, kMerge).code == 200);
  for (int scrape = 0; scrape < 2; ++scrape) {
    const auto page = api.page();
    CHECK(page.value("apiserver_storage_objects{resource=\"virtualmachineinstances.kubevirt.io\"}") == 2);
    CHECK(page.value("kubevirt_vmi_info{evictable=\"true\",name=\"a\",namespace=\"default\",node=\"n1\",outdated="
                     "\"false\",phase=\"running\"}") == 1);
    CHECK(page.value("kubevirt_vmi_phase_count{node=\"n1\",phase=\"running\"}") == 1);
    CHECK(page.value("kubevirt_info{goversion=\"\",kubeversion=\"0.0.0\"}") == 1);
  }
}

TEST_CASE("the times between phases are measured from the status") {
  Counted api;
  api.call("POST", kVmis, vmi("a"));
  const auto at = [](const char* phase, const char* time) -> json {
    return {{"phase", phase}, {"phaseTransitionTimestamp", time}};
  };
  const auto set = [&](const char* phase, const json& times) {
    const json status = {{"status", {{"phase", phase}, {"phaseTransitionTimestamps", times}}}};
    CHECK(api.call("PATCH", std::string(kVmis) + "/a", status, kMerge).code == 200);
  };
  api.user = test::node_user();
  set("Scheduled", json::array({at("Scheduled", "2100-01-01T00:00:00Z")}));
  set("Running", {at("Scheduled", "2100-01-01T00:00:00Z"), at("Running", "2100-01-01T00:00:03Z")});
  const std::string sum = "kubevirt_vmi_phase_transition_time_seconds_sum{last_phase=\"Scheduled\",phase=\"Running\"}";
  // Its thread follows the writes.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!api.page().has(sum) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  CHECK(api.page().value(sum) == 3);
  CHECK(api.page().value("kubevirt_vmi_phase_transition_time_from_creation_seconds_count{phase=\"Running\"}") == 1);
}
