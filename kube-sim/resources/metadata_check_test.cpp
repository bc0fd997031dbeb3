#include "kube-sim/resources/metadata_check.h"

#include <doctest/doctest.h>

#include "kube-sim/resources/names.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

const ResourceInfo kThing{.group = "", .version = "v1", .plural = "things", .singular = "thing", .kind = "Thing"};
const ResourceInfo kSpace{.group = "",
                          .version = "v1",
                          .plural = "namespaces",
                          .singular = "namespace",
                          .kind = "Namespace",
                          .namespaced = false};

Causes causes_of(const char* metadata, const ResourceInfo& info = kThing) {
  json object = {{"metadata", {{"name", "a"}, {"namespace", "default"}}}};
  object["metadata"].merge_patch(json::parse(metadata));
  return validate_metadata(object, info);
}

/// The one fault that there is, without its reason.
std::string fault_of(const char* metadata, const ResourceInfo& info = kThing) {
  const Causes causes = causes_of(metadata, info);
  REQUIRE(causes.size() == 1);
  return causes[0].field + ": " + causes[0].message;
}

constexpr const char* kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

}  // namespace

TEST_CASE("names follow RFC 1123: a subdomain, for namespaces a label") {
  CHECK(causes_of(R"({"name":"a.b-c"})").empty());
  CHECK(fault_of(R"({"name":"Big_Name"})")
            .starts_with("metadata.name: Invalid value: \"Big_Name\": a lowercase RFC 1123 subdomain must consist of "
                         "lower case "));
  CHECK(
      fault_of(R"({"name":"a.b"})", kSpace) ==
      "metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric "
      "characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
      "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
  CHECK(fault_of(R"({"name":null})") == "metadata.name: Required value: name or generateName is required");
  CHECK(causes_of(R"({"name":null,"generateName":"run-"})").empty());
  CHECK(fault_of(R"({"name":7})").find("must be of type string") != std::string::npos);
  const std::string longest = json({{"name", std::string(254, 'a')}}).dump();
  CHECK(fault_of(longest.c_str()).ends_with("must be no more than 253 bytes"));
}

TEST_CASE("labels and annotations have qualified keys, labels short values") {
  CHECK(causes_of(R"({"labels":{"example.com/a":"b","c":""},"annotations":{"Example.com/A":"any thing"}})").empty());
  CHECK(fault_of(R"({"labels":{"-a":"b"}})") ==
        std::string("metadata.labels: Invalid value: \"-a\": name part ") + kNameRule);
  CHECK(fault_of(R"({"labels":{"a/b/c":"d"}})") ==
        std::string("metadata.labels: Invalid value: \"a/b/c\": a qualified name ") + kNameRule +
            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
  CHECK(fault_of(R"({"labels":{"/a":"b"}})") ==
        "metadata.labels: Invalid value: \"/a\": prefix part must be non-empty");
  CHECK(fault_of(R"({"labels":{"a":"b c"}})")
            .starts_with("metadata.labels: Invalid value: \"b c\": a valid label must be an empty string or consist of "
                         "alphanumeric"));
  CHECK(fault_of(R"({"labels":{"a":1}})").find("must be of type string") != std::string::npos);
  CHECK(fault_of(R"({"labels":[]})").find("must be of type object") != std::string::npos);
  const json big = {{"annotations", {{"a", std::string(200'000, 'x')}, {"b", std::string(100'000, 'x')}}}};
  CHECK(fault_of(big.dump().c_str()) == "metadata.annotations: Too long: may not be more than 262144 bytes");
}

TEST_CASE("finalizers and owner references") {
  CHECK(causes_of(R"({"finalizers":["example.com/a","orphan"]})").empty());
  CHECK(fault_of(R"({"finalizers":["a b"]})").starts_with("metadata.finalizers: Invalid value: \"a b\": name part"));
  CHECK(fault_of(R"({"finalizers":["orphan","foregroundDeletion"]})").ends_with("cannot be both set"));
  CHECK(fault_of(R"({"finalizers":"x"})").find("must be of type array") != std::string::npos);
  const std::string owner = R"({"apiVersion":"v1","kind":"Pod","name":"p","uid":"u","controller":true})";
  CHECK(causes_of((R"({"ownerReferences":[)" + owner + "]}").c_str()).empty());
  CHECK(fault_of((R"({"ownerReferences":[)" + owner + "," + owner + "]}").c_str())
            .find("Only one reference can have Controller set to true. Found \"true\" in references for Pod/p and "
                  "Pod/p") != std::string::npos);
  CHECK(fault_of(R"({"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p"}]})") ==
        "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty");
  CHECK(causes_of(R"({"ownerReferences":[7,{}]})").size() == 5);
}
