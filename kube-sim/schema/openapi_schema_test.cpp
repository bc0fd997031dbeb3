#include "kube-sim/schema/openapi_schema.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

const json kShape = json::parse(R"({"type":"object","properties":{"spec":{"type":"object","required":["size"],
  "properties":{"size":{"type":"integer","minimum":1,"maximum":10},
    "colour":{"type":"string","enum":["red","blue"],"default":"red"},
    "name":{"type":"string","pattern":"^[a-z]+$","maxLength":5},
    "port":{"x-kubernetes-int-or-string":true},
    "tags":{"type":"array","maxItems":2,"items":{"type":"object","properties":{"key":{"type":"string","default":"k"}}}},
    "limits":{"type":"object","additionalProperties":{"type":"number"}},
    "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
    "none":{"type":"string","nullable":true},
    "either":{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}],
      "properties":{"a":{"type":"string"},"b":{"type":"string"}}}}}}})");

/// The messages of what is wrong with a spec, one a line.
std::string faults_in(const char* spec) {
  std::string text;
  for (const auto& cause : openapi_violations(kShape, {{"kind", 7}, {"spec", json::parse(spec)}})) {
    text += cause.field + ": " + cause.message + "\n";
  }
  return text;
}

std::string schema_faults(const char* schema) {
  std::string text;
  for (const auto& cause : openapi_faults(json::parse(schema), "s")) text += cause.field + ": " + cause.message + "\n";
  return text;
}

}  // namespace

TEST_CASE("an object that fits has no faults") {
  CHECK(openapi_faults(kShape, "s").empty());
  CHECK(faults_in(R"({"size":3,"colour":"blue","name":"abc","port":"http","tags":[{"key":"a"}],"limits":{"cpu":1.5},
    "free":{"x":{"y":1}},"none":null,"either":{"a":"1"}})") == "");
}

TEST_CASE("each keyword is checked, in the words of kube-apiserver") {
  CHECK(faults_in("{}") == "spec.size: Required value\n");
  CHECK(faults_in(R"({"size":"x"})") ==
        "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"\n");
  CHECK(faults_in(R"({"size":0})") ==
        "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1\n");
  CHECK(faults_in(R"({"size":11})") ==
        "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10\n");
  CHECK(faults_in(R"({"size":1,"colour":"green"})") ==
        "spec.colour: Unsupported value: \"green\": supported values: \"red\", \"blue\"\n");
  CHECK(faults_in(R"({"size":1,"name":"ABC"})") ==
        "spec.name: Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'\n");
  CHECK(faults_in(R"({"size":1,"name":"abcdef"})") == "spec.name: Too long: may not be more than 5 bytes\n");
  CHECK(faults_in(R"({"size":1,"tags":[{},{},{}]})") == "spec.tags: Too many: 3: must have at most 2 items\n");
  CHECK(faults_in(R"({"size":1,"limits":{"cpu":"x"}})") ==
        "spec.limits.cpu: Invalid value: \"string\": spec.limits.cpu in body must be of type number: \"string\"\n");
  CHECK(faults_in(R"({"size":1,"either":{"a":"1","b":"2"}})") ==
        "spec.either: Invalid value: \"\": spec.either in body must validate one and only one schema (oneOf)\n");
}

TEST_CASE("what the schema does not have is taken out and listed, and defaults are written in") {
  json object = json::parse(R"({"apiVersion":"v","kind":"K","metadata":{"name":"n"},"extra":1,
    "spec":{"size":1,"nmae":"x","free":{"kept":1},"tags":[{"kee":"x"}]}})");
  std::vector<std::string> unknown;
  openapi_prune(kShape, object, &unknown);
  CHECK(unknown == std::vector<std::string>{"extra", "spec.nmae", "spec.tags[0].kee"});
  openapi_default(kShape, object);
  CHECK(object == json::parse(R"({"apiVersion":"v","kind":"K","metadata":{"name":"n"},
    "spec":{"size":1,"colour":"red","free":{"kept":1},"tags":[{"key":"k"}]}})"));
}

TEST_CASE("schemas that are not structural, or too much, are refused") {
  CHECK(schema_faults(R"({"type":"string"})") == "s.type: Invalid value: \"string\": must be object at the root\n");
  CHECK(schema_faults(R"({"type":"object","properties":{"a":{}}})") ==
        "s.properties[a].type: Required value: must not be empty for specified object fields\n");
  CHECK(schema_faults(R"({"type":"object","$ref":"x"})") == "s.$ref: Forbidden: $ref is not supported\n");
  CHECK(schema_faults(R"({"type":"object","properties":{"a":{"type":"array"}}})") ==
        "s.properties[a].items: Required value: must be specified\n");
  CHECK(schema_faults(R"({"type":"object","properties":{"a":{"type":"string","pattern":"("}}})") ==
        "s.properties[a].pattern: Invalid value: \"(\": must be a valid regular expression\n");
  json deep = {{"type", "object"}};
  for (int i = 0; i < 100; ++i) deep = {{"type", "object"}, {"properties", {{"a", deep}}}};
  CHECK_FALSE(openapi_faults(deep, "s").empty());
  json wide = {{"type", "object"}};
  for (int i = 0; i < 30'000; ++i) wide["properties"]["f" + std::to_string(i)] = {{"type", "string"}};
  REQUIRE(openapi_faults(wide, "s").size() == 1);
  CHECK(openapi_faults(wide, "s")[0].message == "Forbidden: the schema has too many fields");
}
