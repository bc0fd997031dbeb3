#include "kube-sim/objects/protobuf_envelope.h"

#include <doctest/doctest.h>

#include "kube-sim/resources/kubernetes_kinds.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

std::string varint(std::size_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7U) bytes += static_cast<char>((value & 127U) | 128U);
  return bytes + static_cast<char>(value);
}
/// A length-delimited field.
std::string field(std::size_t number, const std::string& bytes) {
  return varint(number << 3U | 2U) + varint(bytes.size()) + bytes;
}
std::string number(std::size_t field_number, std::size_t value) { return varint(field_number << 3U) + varint(value); }
/// The numbers that stand in the schema files.
tl::expected<json, usbloop::kube::Status> decode(const std::string& bytes) {
  static const SchemaSet kSchemas(kubernetes_schemas());
  return decode_protobuf_envelope(bytes, kSchemas);
}

std::string envelope(const std::string& version, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + field(1, field(1, version) + field(2, kind)) + field(2, raw);
}

}  // namespace

TEST_CASE("numbers that may be texts, and flags, are read as JSON has them") {
  const std::string http = field(2, "TCP") + number(3, 80) + field(4, number(1, 1) + number(2, 0) + field(3, "web"));
  const std::string other = field(2, "TCP") + number(3, 81) + field(4, number(1, 0) + number(2, 99) + field(3, ""));
  const auto service = decode(
      envelope("v1", "Service",
               field(1, field(1, "s")) + field(2, field(1, http) + field(1, other) + field(3, "") + number(13, 0))));
  REQUIRE(service);
  CHECK((*service)["spec"] == json::parse(R"({"ports":[{"protocol":"TCP","port":80,"targetPort":"web"},
      {"protocol":"TCP","port":81,"targetPort":99}]})"));
}

TEST_CASE("kinds that clients send as protobuf become the JSON that they would have sent") {
  const std::string meta =
      field(1, "n") + field(3, "default") + field(11, field(1, "a") + field(2, "b")) + field(14, "example.com/f");
  const auto role =
      decode(envelope("rbac.authorization.k8s.io/v1", "Role",
                      field(1, meta) + field(2, field(1, "get") + field(1, "list") + field(2, "") + field(3, "pods"))));
  REQUIRE(role);
  CHECK(*role == json::parse(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role",
      "metadata":{"name":"n","namespace":"default","labels":{"a":"b"},"finalizers":["example.com/f"]},
      "rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}]})"));
  const std::string time = number(1, 100) + number(2, 0);
  const auto lease = decode(
      envelope("coordination.k8s.io/v1", "Lease",
               field(1, field(1, "n")) + field(2, field(1, "me") + number(2, 40) + field(4, time) + number(5, 0))));
  REQUIRE(lease);
  CHECK((*lease)["spec"] == json::parse(R"({"holderIdentity":"me","leaseDurationSeconds":40,
      "renewTime":"1970-01-01T00:01:40.000000Z","leaseTransitions":0})"));
  const auto event = decode(envelope(
      "v1", "Event", field(1, "") + field(2, field(1, "Pod")) + field(6, time) + number(8, 0) + field(10, "")));
  REQUIRE(event);
  CHECK((*event)["firstTimestamp"] == "1970-01-01T00:01:40Z");
  CHECK_FALSE(event->contains("eventTime"));
  CHECK_FALSE(event->contains("count"));
  const auto options = decode(envelope("v1", "DeleteOptions", number(1, 0) + field(5, "All")));
  REQUIRE(options);
  CHECK((*options)["gracePeriodSeconds"] == 0);
  CHECK((*options)["dryRun"] == json::array({"All"}));
}

TEST_CASE("broken bytes are refused wherever they are cut or turned") {
  const std::string whole = envelope("v1", "Event", field(1, field(1, "n")) + field(6, number(1, 100)) + number(8, 3));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = decode(whole.substr(0, length));
    CHECK((!cut.has_value() || cut->is_object()));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\x00', '\x7f', '\x80', '\xff'}) {
      std::string turned = whole;
      turned[at] = byte;
      const auto read = decode(turned);
      CHECK((read.has_value() || read.error().code == 400 || read.error().code == 415));
    }
  }
  CHECK(decode("").error().code == 400);
}

TEST_CASE("a deployment comes with the whole template of its pods") {
  const std::string env = field(1, "A") + field(3, field(3, field(1, field(1, "settings")) + field(2, "a")));
  const std::string probe = field(1, field(2, field(1, "/") + field(2, number(1, 0) + number(2, 80)))) + number(4, 5);
  const std::string limits = field(1, field(1, "cpu") + field(2, field(1, "100m")));
  const std::string container = field(1, "c") + field(2, "image") + field(7, env) + field(8, limits) +
                                field(10, probe) + field(15, number(4, 0)) + number(16, 0);
  const std::string volume = field(1, "v") + field(2, field(2, field(1, "Memory")));
  const auto pod = decode(envelope("v1", "Pod", field(2, field(1, volume) + field(3, "") + number(4, 0))));
  REQUIRE(pod);
  CHECK((*pod)["spec"] == json::parse(R"({"volumes":[{"name":"v","emptyDir":{"medium":"Memory"}}],
      "terminationGracePeriodSeconds":0})"));
  const auto made = decode(envelope("apps/v1", "Deployment",
                                    field(2, number(1, 0) + number(5, 0) + field(3, field(2, field(2, container))))));
  REQUIRE(made);
  CHECK((*made)["spec"] == json::parse(R"({"replicas":0,"template":{"spec":{"containers":[{"name":"c","image":"image",
      "env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"settings","key":"a"}}}],
      "resources":{"limits":{"cpu":"100m"}},
      "livenessProbe":{"httpGet":{"path":"/","port":80},"periodSeconds":5},
      "securityContext":{"runAsUser":0}}]}}})"));
}

TEST_CASE("what comes as protobuf and has no number in the schema file is refused, unless nothing is in it") {
  const auto with = [](const std::string& more) {
    return decode(envelope("v1", "ConfigMap", field(1, field(1, "n")) + more));
  };
  CHECK(with(number(9, 0)).has_value());
  CHECK(with(field(9, "")).has_value());
  CHECK(with(field(9, number(1, 0) + field(2, ""))).has_value());
  const auto refused = with(field(9, "x"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == 400);
  CHECK(refused.error().message ==
        "this server does not read field 9 of the object from protobuf; send the object as JSON");
  const auto deeper =
      decode(envelope("v1", "Pod", field(2, field(1, field(1, "v") + field(2, field(99, field(1, "x")))))));
  REQUIRE_FALSE(deeper.has_value());
  CHECK(deeper.error().message ==
        "this server does not read field 99 of spec.volumes from protobuf; send the object as JSON");
  CHECK(decode(envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", "")).error().code == 415);
  CHECK(decode(envelope("example.org/v1", "Widget", "")).error().code == 415);
  CHECK(decode(envelope("authentication.k8s.io/v1beta1", "SelfSubjectReview", field(1, field(1, "n")))).has_value());
  // Its rules have other numbers than those of v1.
  CHECK(decode(envelope("rbac.authorization.k8s.io/v1alpha1", "Role", "")).error().code == 415);
  // A text where a number belongs.
  CHECK(decode(envelope("apps/v1", "Deployment", field(2, field(1, "x")))).error().code == 400);
  // A number where the message of the embedded fields belongs.
  CHECK(decode(envelope("v1", "Pod", field(2, field(1, number(2, 1))))).error().code == 400);
}

TEST_CASE("the fields of managers come as JSON within protobuf") {
  const auto made =
      decode(envelope("v1", "ConfigMap", field(1, field(17, field(1, "m") + field(7, field(1, R"({"f:data":{}})"))))));
  REQUIRE(made);
  CHECK((*made)["metadata"]["managedFields"][0] == json::parse(R"({"manager":"m","fieldsV1":{"f:data":{}}})"));
}

TEST_CASE("a pod's status comes with the states of its containers") {
  const std::string time = number(1, 100) + number(2, 0);
  const std::string ended = number(1, 0) + number(2, 0) + field(3, "Completed") + field(5, time) + field(6, "");
  const std::string main =
      field(1, "c") + field(2, field(2, field(1, time))) + field(3, field(3, ended)) + number(4, 1);
  const std::string device = field(1, "usb") + field(2, field(1, "1-2") + field(2, "Healthy"));
  const std::string waiting = field(1, "d") + field(2, field(1, field(1, "Starting"))) + field(14, device) +
                              field(10, field(1, "cpu") + field(2, field(1, "100m")));
  const auto pod = decode(envelope("v1", "Pod",
                                   field(3, field(1, "Running") + field(8, main) + field(12, field(1, "10.0.0.7")) +
                                                field(13, waiting) + field(16, field(1, "10.0.0.1")))));
  REQUIRE(pod);
  CHECK((*pod)["status"] == json::parse(R"({"phase":"Running","podIPs":[{"ip":"10.0.0.7"}],
      "hostIPs":[{"ip":"10.0.0.1"}],
      "containerStatuses":[{"name":"c","ready":true,"state":{"running":{"startedAt":"1970-01-01T00:01:40Z"}},
        "lastState":{"terminated":{"exitCode":0,"reason":"Completed","startedAt":"1970-01-01T00:01:40Z"}}}],
      "ephemeralContainerStatuses":[{"name":"d","state":{"waiting":{"reason":"Starting"}},
        "allocatedResources":{"cpu":"100m"},
        "allocatedResourcesStatus":[{"name":"usb","resources":[{"resourceID":"1-2","health":"Healthy"}]}]}]})"));
}

TEST_CASE("ephemeral containers, restart rules and volumes of drivers come with all that they have") {
  const std::string rule = field(1, "Restart") + field(2, field(1, "In") + number(2, 42) + number(2, 0));
  const std::string debugger = field(1, field(1, "d") + field(2, "image") + number(16, 1) + field(25, rule));
  const std::string csi = field(1, "csi.example.com") + number(2, 0) + field(3, "") +
                          field(4, field(1, "a") + field(2, "b")) + field(5, field(1, "login"));
  const std::string iscsi = field(1, "10.0.0.9") + field(2, "iqn.2026-01.com.example:disk") + number(3, 0);
  const auto volume = [](const char* name, std::size_t kind, const std::string& source) {
    return field(1, field(1, name) + field(2, field(kind, source)));
  };
  const auto pod =
      decode(envelope("v1", "Pod",
                      field(2, volume("v", 28, csi) + volume("w", 8, iscsi) + field(34, debugger + field(2, "c")) +
                                   field(39, field(1, "gpu") + field(4, "one")) + field(41, "host"))));
  REQUIRE(pod);
  CHECK((*pod)["spec"] == json::parse(R"({"hostnameOverride":"host",
      "volumes":[{"name":"v","csi":{"driver":"csi.example.com","readOnly":false,"fsType":"",
          "volumeAttributes":{"a":"b"},"nodePublishSecretRef":{"name":"login"}}},
        {"name":"w","iscsi":{"targetPortal":"10.0.0.9","iqn":"iqn.2026-01.com.example:disk","lun":0}}],
      "ephemeralContainers":[{"name":"d","image":"image","stdin":true,"targetContainerName":"c",
        "restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"In","values":[42,0]}}]}],
      "resourceClaims":[{"name":"gpu","resourceClaimTemplateName":"one"}]})"));
}

TEST_CASE("load balancers, nodes and questions with selectors come with all that they have") {
  const std::string port = number(1, 80) + field(2, "TCP");
  const auto service = decode(envelope(
      "v1", "Service", field(3, field(1, field(1, field(1, "192.0.2.1") + field(3, "VIP") + field(4, port))))));
  REQUIRE(service);
  CHECK((*service)["status"] == json::parse(R"({"loadBalancer":{"ingress":[
      {"ip":"192.0.2.1","ipMode":"VIP","ports":[{"port":80,"protocol":"TCP"}]}]}})"));
  const auto node = decode(
      envelope("v1", "Node", field(3, field(6, field(1, number(1, 10250))) + field(8, field(1, "a") + number(2, 7)))));
  REQUIRE(node);
  CHECK((*node)["status"] == json::parse(R"({"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}},
      "images":[{"names":["a"],"sizeBytes":7}]})"));
  const std::string requirement = field(1, "spec.nodeName") + field(2, "In") + field(3, "n");
  const auto review = decode(
      envelope("authorization.k8s.io/v1", "SelfSubjectAccessReview",
               field(2, field(1, field(2, "list") + field(8, field(2, requirement)) + field(9, field(1, "a=b"))))));
  REQUIRE(review);
  CHECK((*review)["spec"]["resourceAttributes"] == json::parse(R"({"verb":"list",
      "fieldSelector":{"requirements":[{"key":"spec.nodeName","operator":"In","values":["n"]}]},
      "labelSelector":{"rawSelector":"a=b"}})"));
}

TEST_CASE("an empty text that a client wrote down stays") {
  const auto lease = decode(envelope("coordination.k8s.io/v1", "Lease", field(2, field(1, ""))));
  REQUIRE(lease);
  CHECK((*lease)["spec"] == json::parse(R"({"holderIdentity":""})"));
}
