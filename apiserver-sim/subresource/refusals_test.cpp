#include "apiserver-sim/subresource/refusals.h"

#include <doctest/doctest.h>

#include "apiserver-sim/subresource/vmi_checks.h"
#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kVmis;
using test::vmi;

namespace {

void set(Api& api, const json& patch) {
  const Response response = api.call("PATCH", std::string(kVmis) + "/x", patch, "application/merge-patch+json");
  REQUIRE_MESSAGE(response.code == 200, response.body);
}

std::string refusal(Api& api) {
  const auto checked = find_channel(*api.store, "default", "x", check_usbredir);
  return checked ? "" : refusal_body(checked.error());
}

std::string golden(const std::string& message, const std::string& rest) {
  return "{\n \"kind\": \"Status\",\n \"apiVersion\": \"v1\",\n \"metadata\": {},\n \"status\": \"Failure\",\n"
         " \"message\": \"" +
         message + "\",\n" + rest + "}";
}

const std::string kDetails =
    " \"details\": {\n  \"name\": \"x\",\n  \"group\": \"kubevirt.io\",\n  \"kind\": \"virtualmachineinstance\"\n },\n";
const std::string kNamedVmi = "virtualmachineinstance.kubevirt.io \\\"x\\\"";

}  // namespace

TEST_CASE("the checks come in virt-api's order, and their refusals are its bodies byte for byte") {
  Api api;
  CHECK(refusal(api) ==
        golden(kNamedVmi + " not found", " \"reason\": \"NotFound\",\n" + kDetails + " \"code\": 404\n"));

  json object = vmi("x");
  object["spec"]["architecture"] = "s390x";
  object["spec"]["domain"]["devices"] = json::object();
  api.call("POST", kVmis, object);
  const std::string conflict = "Operation cannot be fulfilled on " + kNamedVmi + ": ";
  const std::string conflict_rest = " \"reason\": \"Conflict\",\n" + kDetails + " \"code\": 409\n";
  CHECK(refusal(api) == golden(conflict + "No USB support on s390x", conflict_rest));

  api.user = test::node_user();
  set(api, {{"spec", {{"architecture", "amd64"}}}});
  CHECK(refusal(api) == golden(conflict + "Not configured with USB Redirection", conflict_rest));

  set(api, {{"spec", {{"domain", {{"devices", {{"clientPassthrough", json::object()}}}}}}}});
  const std::string bad_rest = " \"reason\": \"BadRequest\",\n \"code\": 400\n";
  for (const char* phase : {"Pending", "Scheduling", "Scheduled", "Succeeded", "Failed"}) {
    set(api, {{"status", {{"phase", phase}}}});
    CHECK(refusal(api) == golden("VMI is not running", bad_rest));
  }

  set(api, {{"status", {{"phase", "Running"}, {"nodeName", "node-a"}}}});
  CHECK(refusal(api) == golden("No virt-handler on node node-a found", bad_rest));
  api.call("POST", "/api/v1/nodes", {{"metadata", {{"name", "node-a"}}}});
  CHECK(refusal(api) == golden("No virt-handler on node node-a found", bad_rest));
  const json channel = {{"metadata", {{"annotations", {{"usbloop.dev/channel", "unix:/run/channel.sock"}}}}}};
  api.call("PATCH", "/api/v1/nodes/node-a", channel, "application/merge-patch+json");
  CHECK(refusal(api) == golden("No virt-handler on node node-a found", bad_rest));
  api.user = test::admin();
  api.ok(api.call("POST", test::kHandlerPods, test::handler_pod("node-a")), 201);
  const auto checked = find_channel(*api.store, "default", "x", check_usbredir);
  REQUIRE(checked);
  CHECK(checked->node == "node-a");
  CHECK(checked->socket_path == "/run/channel.sock");
}

TEST_CASE("what the node refuses is told in the words of v1.8") {
  CHECK(handshake_refused(503, "").message ==
        "Internal error occurred: Can't connect to websocket (503): websocket: bad handshake");
  CHECK(handshake_refused(404, "VMI ns/X does not exist\n").message ==
        "Internal error occurred: Can't connect to websocket (404): websocket: bad handshake: application info: VMI "
        "ns/X does not exist");
  CHECK(dial_failure("dial unix /s: connect: connection refused").message ==
        "Internal error occurred: dialing virt-handler: dial unix /s: connect: connection refused");
  CHECK(refusal_body(handshake_refused(503, "")) ==
        golden("Internal error occurred: Can't connect to websocket (503): websocket: bad handshake",
               " \"reason\": \"InternalError\",\n \"details\": {\n  \"causes\": [\n   {\n    \"message\": \"Can't "
               "connect to websocket (503): websocket: bad handshake\"\n   }\n  ]\n },\n \"code\": 500\n"));
}

TEST_CASE("no refusal is longer than websocket clients read") {
  for (const std::string& text : {std::string(5000, 'x'), std::string(1000, '"'), std::string(900, '\xff')}) {
    const std::string body = refusal_body(handshake_refused(400, text));
    CHECK(body.size() <= kMaxRefusalBytes);
    CHECK(body.size() > kMaxRefusalBytes / 2);
    CHECK(json::parse(body)["message"].get<std::string>().starts_with("Internal error occurred: Can't connect"));
  }
}
