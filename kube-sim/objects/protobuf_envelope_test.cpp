#include "kube-sim/objects/protobuf_envelope.h"

#include <doctest/doctest.h>

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

/// A length-delimited field; all lengths here are below 128.
std::string field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}
std::string number(int field_number, int value) {
  return std::string(1, static_cast<char>(field_number << 3)) + static_cast<char>(value);
}
std::string envelope(const std::string& version, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + field(1, field(1, version) + field(2, kind)) + field(2, raw);
}

}  // namespace

TEST_CASE("numbers that may be texts, and flags, are read as JSON has them") {
  const std::string http = field(2, "TCP") + number(3, 80) + field(4, number(1, 1) + number(2, 0) + field(3, "web"));
  const std::string other = field(2, "TCP") + number(3, 81) + field(4, number(1, 0) + number(2, 99) + field(3, ""));
  const auto service = decode_protobuf_envelope(
      envelope("v1", "Service",
               field(1, field(1, "s")) + field(2, field(1, http) + field(1, other) + field(3, "") + number(13, 0))));
  REQUIRE(service);
  CHECK((*service)["spec"] == json::parse(R"({"ports":[{"protocol":"TCP","port":80,"targetPort":"web"},
      {"protocol":"TCP","port":81,"targetPort":99}]})"));
}

TEST_CASE("kinds that clients send as protobuf become the JSON that they would have sent") {
  const std::string meta =
      field(1, "n") + field(3, "default") + field(11, field(1, "a") + field(2, "b")) + field(14, "example.com/f");
  const auto role = decode_protobuf_envelope(
      envelope("rbac.authorization.k8s.io/v1", "Role",
               field(1, meta) + field(2, field(1, "get") + field(1, "list") + field(2, "") + field(3, "pods"))));
  REQUIRE(role);
  CHECK(*role == json::parse(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role",
      "metadata":{"name":"n","namespace":"default","labels":{"a":"b"},"finalizers":["example.com/f"]},
      "rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}]})"));
  const std::string time = number(1, 100) + number(2, 0);
  const auto lease = decode_protobuf_envelope(
      envelope("coordination.k8s.io/v1", "Lease",
               field(1, field(1, "n")) + field(2, field(1, "me") + number(2, 40) + field(4, time) + number(5, 0))));
  REQUIRE(lease);
  CHECK((*lease)["spec"] == json::parse(R"({"holderIdentity":"me","leaseDurationSeconds":40,
      "renewTime":"1970-01-01T00:01:40.000000Z","leaseTransitions":0})"));
  const auto event = decode_protobuf_envelope(envelope(
      "v1", "Event", field(1, "") + field(2, field(1, "Pod")) + field(6, time) + number(8, 0) + field(10, "")));
  REQUIRE(event);
  CHECK((*event)["firstTimestamp"] == "1970-01-01T00:01:40Z");
  CHECK_FALSE(event->contains("eventTime"));
  CHECK_FALSE(event->contains("count"));
  const auto options = decode_protobuf_envelope(envelope("v1", "DeleteOptions", number(1, 0) + field(5, "All")));
  REQUIRE(options);
  CHECK((*options)["gracePeriodSeconds"] == 0);
  CHECK((*options)["dryRun"] == json::array({"All"}));
}

TEST_CASE("broken bytes are refused wherever they are cut or turned") {
  const std::string whole = envelope("v1", "Event", field(1, field(1, "n")) + field(6, number(1, 100)) + number(8, 3));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = decode_protobuf_envelope(whole.substr(0, length));
    CHECK((!cut.has_value() || cut->is_object()));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\x00', '\x7f', '\x80', '\xff'}) {
      std::string turned = whole;
      turned[at] = byte;
      const auto read = decode_protobuf_envelope(turned);
      CHECK((read.has_value() || read.error().code == 400 || read.error().code == 415));
    }
  }
  CHECK(decode_protobuf_envelope(envelope("v1", "Pod", "")).error().code == 415);
  CHECK(decode_protobuf_envelope("").error().code == 400);
}
