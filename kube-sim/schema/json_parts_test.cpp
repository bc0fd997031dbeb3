#include "kube-sim/schema/json_parts.h"

#include <doctest/doctest.h>

#include <vector>

using namespace usbloop::apiserver;

namespace {

/// The parts, and whether the text is whole.
std::pair<std::vector<JsonPart>, bool> parts_of(std::string_view text) {
  JsonParts parts(text);
  std::vector<JsonPart> all;
  JsonPart part;
  while (parts.next(part)) all.push_back(part);
  return {all, parts.whole()};
}

}  // namespace

TEST_CASE("an object's members are found where they stand") {
  const auto [members, whole] = parts_of(R"({"a":1,"b\"":"}\\","c":{"d":["]",{}]},"e":[],"":null,"f":"\\\"\\"})");
  const std::vector<JsonPart> expected = {{"a", "1"},  {R"(b\")", R"("}\\")"}, {"c", R"({"d":["]",{}]})"},
                                          {"e", "[]"}, {"", "null"},           {"f", R"("\\\"\\")"}};
  CHECK(members == expected);
  CHECK(whole);
}

TEST_CASE("an array's elements are found where they stand") {
  const auto [elements, whole] = parts_of(R"(["a,",[1,2],{"b":[]},-1.5e3,true])");
  const std::vector<JsonPart> expected = {
      {"", R"("a,")"}, {"", "[1,2]"}, {"", R"({"b":[]})"}, {"", "-1.5e3"}, {"", "true"}};
  CHECK(elements == expected);
  CHECK(whole);
}

TEST_CASE("nothing is in an empty object or array") {
  for (const char* text : {"{}", "[]"}) {
    const auto [parts, whole] = parts_of(text);
    CHECK(parts.empty());
    CHECK(whole);
  }
}

TEST_CASE("what our writer does not write is left to the one who reads all") {
  for (const char* text :
       {"",           "{",          "[",          "1",         "{\"a\"}",    "{\"a\":}",          "{\"a\":1",
        "{\"a\":1,}", "{\"a\":1}}", "{\"a\":\"}", "{\"a\":[}", "{ \"a\":1}", "{\"a\" :1}",        "{a:1}",
        "[1",         "[1,]",       "[1}",        "[,1]",      "[1]]",       "{\"a\":1 \"b\":2}", "{\"a\\\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(parts_of(text).second);
  }
}
