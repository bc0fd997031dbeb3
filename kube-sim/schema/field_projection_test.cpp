#include "kube-sim/schema/field_projection.h"

#include <doctest/doctest.h>

#include "kube-sim/schema/json_members.h"

using namespace usbloop::apiserver;
using nlohmann::json;

TEST_CASE("an object's members are found where they stand") {
  const std::string text = R"({"a":1,"b\"":"}\\","c":{"d":["]",{}]},"e":[],"":null})";
  const auto members = json_members(text);
  REQUIRE(members);
  const std::vector<JsonMember> expected = {
      {"a", "1"}, {R"(b\")", R"("}\\")"}, {"c", R"({"d":["]",{}]})"}, {"e", "[]"}, {"", "null"}};
  CHECK(*members == expected);
  CHECK(json_members("{}")->empty());
}

TEST_CASE("what our writer does not write is left to the one who reads all") {
  for (const char* text :
       {"", "{", "[]", "1", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{\"a\":1}}", "{\"a\":\"}", "{\"a\":[}",
        "{ \"a\":1}", "{\"a\" :1}", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\\\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(json_members(text));
  }
}

TEST_CASE("only what is asked for is read") {
  FieldProjection fields;
  fields.add({"metadata", "name"});
  fields.add({"status"});
  fields.add({"spec", "a\"b"});  // a name that is written with an escape: all of what is around it
  const json object = {{"metadata", {{"name", "x"}, {"uid", "y"}}},
                       {"spec", {{"a\"b", 1}, {"c", 2}}},
                       {"status", {{"phase", "Running"}}},
                       {"other", json::array({1, 2})}};
  json expected = object;
  expected.erase("other");
  expected["metadata"].erase("uid");
  CHECK(*fields.read(object.dump()) == expected);
  CHECK(*fields.read(R"({"metadata":5})") == json{{"metadata", 5}});
  CHECK_FALSE(fields.read(R"({"status":{"phase"}})"));
}
