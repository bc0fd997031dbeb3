#include "apiserver-sim/subresource/subresource_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::vmi;

namespace {

constexpr const char* kRoot = "/apis/subresources.kubevirt.io/";
const std::string kTableVmi = "v1/namespaces/default/virtualmachineinstances/x/";

Response send(Api& api, const std::string& method, const std::string& rest, const std::string& body = {}) {
  return api.raw(method, kRoot + rest, body, "");
}

/// The message of a Status in virt-api's form.
std::string message(const Response& response, int code) {
  CHECK(response.code == code);
  CHECK(response.content_type == "application/json");
  CHECK(response.body.starts_with("{\n \"kind\": \"Status\",\n \"apiVersion\": \"v1\",\n"));
  const json status = json::parse(response.body, nullptr, false);
  return status.is_object() ? status.value("message", "") : response.body;
}

void set_status(Api& api, const json& status) {
  api.user = test::node_user();
  const Response response =
      api.call("PATCH", std::string(test::kVmis) + "/x", {{"status", status}}, "application/merge-patch+json");
  REQUIRE_MESSAGE(response.code == 200, response.body);
  api.user = test::admin();
}

}  // namespace

TEST_CASE("what the subresource group does not serve gets the answers of go-restful") {
  Api api;
  for (const char* path :
       {"v1/namespaces/default/virtualmachineinstances/x/nonsense", "v1/virtualmachineinstances/x/pause",
        "v2/namespaces/default/virtualmachineinstances/x/pause",
        "v1/namespaces/default/virtualmachineinstances/x/pause/more",
        "v1/namespaces/default/virtualmachineinstances/x/portforward",
        "v1/namespaces/default/virtualmachineinstances/x/portforward/1/tcp/x"}) {
    CAPTURE(path);
    const Response response = send(api, "PUT", path);
    CHECK(response.code == 404);
    CHECK(response.content_type == "text/plain; charset=utf-8");
    CHECK(response.body == "404: Page Not Found");
  }
  const std::array<std::array<const char*, 3>, 3> wrong = {
      {{"POST", "usbredir", "GET"}, {"GET", "pause", "PUT"}, {"DELETE", "portforward/22", "GET"}}};
  for (const auto& [method, name, allow] : wrong) {
    CAPTURE(name);
    const Response response = send(api, method, kTableVmi + name);
    CHECK(response.code == 405);
    CHECK(response.body == "405: Method Not Allowed");
    REQUIRE(response.headers.size() == 1);
    CHECK(response.headers[0] == std::pair<std::string, std::string>("Allow", allow));
  }
}

TEST_CASE("v1alpha3 serves what v1 serves") {
  Api api;
  CHECK(message(send(api, "PUT", "v1alpha3/namespaces/default/virtualmachineinstances/x/pause"), 404) ==
        "virtualmachineinstance.kubevirt.io \"x\" not found");
}

TEST_CASE("pause, unpause, softreboot, reset and freeze refuse in each state as virt-api does") {
  Api api;
  const std::string conflict = "Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io \"x\": ";
  for (const char* name : {"pause", "unpause", "softreboot", "reset", "freeze", "unfreeze"}) {
    CHECK(message(send(api, "PUT", kTableVmi + name), 404) == "virtualmachineinstance.kubevirt.io \"x\" not found");
  }
  api.call("POST", test::kVmis, vmi("x"));
  CHECK(message(send(api, "PUT", kTableVmi + "pause", "{}"), 409) == conflict + "VM is not running");
  CHECK(message(send(api, "PUT", kTableVmi + "unpause", "{}"), 409) == conflict + "VMI is not running");
  CHECK(message(send(api, "PUT", kTableVmi + "softreboot"), 409) == conflict + "VM is not running");
  CHECK(message(send(api, "PUT", kTableVmi + "freeze"), 409) == conflict + "VM is not running");
  CHECK(message(send(api, "PUT", kTableVmi + "unfreeze"), 409) == conflict + "VMI is not running");
  CHECK(message(send(api, "PUT", kTableVmi + "reset"), 400) ==
        "Failed to reset non-running VMI with phase Pending: Unable to connect to VirtualMachineInstance because phase "
        "is Pending instead of Running");

  set_status(api, {{"phase", "Running"}, {"nodeName", "node-a"}});
  CHECK(message(send(api, "PUT", kTableVmi + "unpause"), 409) == conflict + "VMI is not paused");
  CHECK(message(send(api, "PUT", kTableVmi + "pause"), 400) == "No virt-handler on node node-a found");
  CHECK(message(send(api, "PUT", kTableVmi + "reset"), 400) == "No virt-handler on node node-a found");

  set_status(api, {{"conditions", json::array({{{"type", "Paused"}, {"status", "True"}}})}});
  CHECK(message(send(api, "PUT", kTableVmi + "pause"), 409) == conflict + "VMI is already paused");
  CHECK(message(send(api, "PUT", kTableVmi + "softreboot"), 409) == conflict + "VMI is paused");
  CHECK(message(send(api, "GET", kTableVmi + "portforward/22"), 409) == conflict + "VMI is paused");
}

TEST_CASE("the options of pause are read as JSON or YAML without a Content-Type, and refused when they are neither") {
  Api api;
  api.call("POST", test::kVmis, vmi("x"));
  set_status(api, {{"phase", "Running"}, {"nodeName", "node-a"}});
  api.user = test::node_user();
  const json channel = {
      {"metadata", {{"name", "node-a"}, {"annotations", {{"usbloop.dev/channel", "unix:/nowhere"}}}}}};
  CHECK(api.call("POST", "/api/v1/nodes", channel).code == 201);
  api.user = test::admin();
  CHECK(api.call("POST", test::kHandlerPods, test::handler_pod("node-a")).code == 201);
  for (const char* body : {"{\"dryRun\":[\"All\"]}", "dryRun: [All]\n"}) {
    const Response dry = send(api, "PUT", kTableVmi + "pause", body);
    CHECK(dry.code == 200);
    CHECK(dry.body.empty());
    CHECK(dry.content_type.empty());
  }
  for (const char* body : {"", "{}", "null", "\n", "{\"dryRun\":null}", "{\"dryRun\":[]}"}) {
    CAPTURE(body);
    CHECK(message(send(api, "PUT", kTableVmi + "pause", body), 500) ==
          "Internal error occurred: Put \"https://node-a/v1/namespaces/default/virtualmachineinstances/x/pause\": dial "
          "unix /nowhere: connect: no such file or directory");
  }
  for (const char* body : {"{", "[]", "{\"dryRun\":\"All\"}", "7"}) {
    CAPTURE(body);
    CHECK(message(send(api, "PUT", kTableVmi + "pause", body), 400)
              .starts_with("Can not unmarshal Request body to struct, error: "));
  }
}

TEST_CASE("the guest agent's subresources answer every error with 500 and a bare text") {
  Api api;
  for (const char* name : {"guestosinfo", "userlist", "filesystemlist"}) {
    const Response response = send(api, "GET", kTableVmi + name);
    CHECK(response.code == 500);
    CHECK(response.content_type == "text/plain; charset=utf-8");
    CHECK(response.body == "virtualmachineinstance.kubevirt.io \"x\" not found");
  }
  api.call("POST", test::kVmis, vmi("x"));
  const std::string conflict = "Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io \"x\": ";
  CHECK(send(api, "GET", kTableVmi + "guestosinfo").body == conflict + "VMI is not running");
  set_status(api, {{"phase", "Running"}});
  CHECK(send(api, "GET", kTableVmi + "userlist").body == conflict + "VMI does not have guest agent connected");
}

TEST_CASE("portforward: a VMI without a network says so") {
  Api api;
  api.call("POST", test::kVmis, vmi("x"));
  CHECK(message(send(api, "GET", kTableVmi + "portforward/22/tcp"), 400) == "no network interfaces are present");
  set_status(api, {{"interfaces", json::array({{{"ipAddress", "10.0.0.7"}}})}});
  CHECK(message(send(api, "GET", kTableVmi + "portforward/22"), 500) ==
        "Internal error occurred: dialing VM: dial tcp 10.0.0.7:22: connect: no route to host");
}

TEST_CASE("features that are switched off say so, and v1.9's list of subresources stands in discovery") {
  Api api;
  CHECK(message(send(api, "GET", kTableVmi + "sev/fetchcertchain"), 400) ==
        "'WorkloadEncryptionSEV' feature gate is not enabled");
  for (const char* path : {"virtualmachineinstances/x/objectgraph", "virtualmachines/x/objectgraph"}) {
    CHECK(message(send(api, "GET", std::string("v1/namespaces/default/") + path), 400) ==
          "'ObjectGraph' feature gate is not enabled");
  }
  const json list = json::parse(send(api, "GET", "v1").body);
  std::set<std::string> names;
  for (const json& entry : list.at("resources")) names.insert(entry.at("name").get<std::string>());
  for (const char* name :
       {"expand-vm-spec", "virtualmachineinstances/vnc", "virtualmachineinstances/console",
        "virtualmachineinstances/portforward", "virtualmachines/start", "virtualmachineinstances/sev/setupsession",
        "virtualmachineinstances/objectgraph", "virtualmachineinstances/vnc/screenshot",
        "virtualmachineinstances/evacuate/cancel", "virtualmachines/evacuate/cancel"}) {
    CHECK_MESSAGE(names.contains(name), name);
  }
  CHECK(names.size() == 29);
  CHECK_FALSE(names.contains("virtualmachineinstances/usbredir"));
}

TEST_CASE("what is listed is served, in every version, or says why it cannot be") {
  Api api;
  for (const char* version : {"v1", "v1alpha3"}) {
    for (const Subresource& entry : all_subresources()) {
      if (entry.resource.empty() || entry.name.empty() || entry.name.starts_with("portforward")) continue;
      const std::string path = std::string(version) + "/namespaces/default/" + std::string(entry.resource) + "/x/";
      CAPTURE(entry.name);
      if (entry.stream != nullptr) continue;
      const Response response = send(api, std::string(entry.method), path + std::string(entry.name));
      CHECK(response.body != "404: Page Not Found");
      CHECK(response.code != 405);
    }
  }
}

TEST_CASE("a VM is expanded as it is, and one that names an instancetype is refused, as there is none") {
  Api api;
  const std::string vms = "v1/namespaces/default/virtualmachines/";
  CHECK(message(send(api, "GET", vms + "a/expand-spec"), 404) == "virtualmachine.kubevirt.io \"a\" not found");
  json vm = {{"apiVersion", "kubevirt.io/v1"}, {"kind", "VirtualMachine"}, {"metadata", {{"name", "a"}}}};
  vm["spec"] = {{"runStrategy", "Halted"}, {"template", {{"spec", vmi("a")["spec"]}}}};
  const std::string path = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
  const Response made = api.call("POST", path, vm);
  REQUIRE_MESSAGE(made.code == 201, made.body);
  const Response expanded = send(api, "GET", vms + "a/expand-spec");
  CHECK(expanded.code == 200);
  CHECK(json::parse(expanded.body) == api.get(path + "/a"));
  const std::string expand = "v1/namespaces/default/expand-vm-spec";
  const Response own = send(api, "PUT", expand, vm.dump());
  CHECK(own.code == 200);
  CHECK(json::parse(own.body)["metadata"]["namespace"] == "default");
  vm["spec"]["instancetype"] = {{"name", "u1.small"}};
  CHECK(message(send(api, "PUT", expand, vm.dump()), 404) ==
        "virtualmachineclusterinstancetypes.instancetype.kubevirt.io \"u1.small\" not found");
  vm["metadata"]["namespace"] = "other";
  CHECK(message(send(api, "PUT", expand, vm.dump()), 400) == "VM namespace must be empty or default");
  CHECK(message(send(api, "PUT", expand, "{\"kind\":\"Pod\"}"), 400) == "Object is not a valid VirtualMachine");
  CHECK(message(send(api, "PUT", expand, "{"), 400) ==
        "Can not unmarshal Request body to struct, error: unexpected end of JSON input");
}

TEST_CASE("migrate, evacuate/cancel and vnc/screenshot say what there is not") {
  Api api;
  const std::string vms = "v1/namespaces/default/virtualmachines/x/";
  for (const char* name : {"migrate", "evacuate/cancel"}) {
    CHECK(message(send(api, "PUT", vms + name), 404) == "virtualmachine.kubevirt.io \"x\" not found");
  }
  const std::string no_vmi = "virtualmachineinstance.kubevirt.io \"x\" not found";
  CHECK(message(send(api, "PUT", kTableVmi + "evacuate/cancel"), 404) == no_vmi);
  CHECK(message(send(api, "GET", kTableVmi + "vnc/screenshot"), 404) == no_vmi);
  api.call("POST", test::kVmis, vmi("x"));
  CHECK(message(send(api, "GET", kTableVmi + "vnc/screenshot"), 400) == "VMI is not running");
  CHECK(send(api, "PUT", kTableVmi + "evacuate/cancel").code == 200);
  set_status(api, {{"phase", "Running"}, {"nodeName", "node-a"}, {"evacuationNodeName", "node-a"}});
  CHECK(message(send(api, "PUT", kTableVmi + "evacuate/cancel", "{\"evacuationNodeName\":\"b\"}"), 500) ==
        "Internal error occurred: the server rejected our request due to an error in our request");
  CHECK(send(api, "PUT", kTableVmi + "evacuate/cancel", "{\"evacuationNodeName\":\"node-a\"}").code == 200);
  CHECK_FALSE(api.get(std::string(test::kVmis) + "/x")["status"].contains("evacuationNodeName"));
}
