#include "common/json_text.h"

#include <doctest/doctest.h>

#include <string>

using namespace usbloop;

namespace {

std::string nested(int depth) {
  const auto count = static_cast<std::size_t>(depth - 1);
  return R"({"a":)" + std::string(count, '[') + std::string(count, ']') + "}";
}

}  // namespace

TEST_CASE("the text of a JSON object is read, and nothing else is") {
  const auto object = parse_json_object(R"( {"a": [1, "]]}"]} )");
  REQUIRE(object);
  CHECK(object->at("a").at(1) == "]]}");
  for (const char* text : {"", "null", "[]", "1", "\"{}\"", "{", "{}{}", "{'a': 1}", "{\"a\": \xff}"}) {
    CAPTURE(text);
    const auto refused = parse_json_object(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().cause == "it is no JSON object");
  }
}

TEST_CASE("JSON that is nested too deeply is not read") {
  CHECK(parse_json_object(nested(kMaxJsonTextDepth)));
  const auto refused = parse_json_object(nested(kMaxJsonTextDepth + 1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::protocol);
  CHECK(refused.error().cause == "it is nested too deeply");
  CHECK(parse_json_object(nested(1'000'000)).error().cause == "it is nested too deeply");
  CHECK(parse_json_object("{\"a\": \"" + std::string(1000, '{') + "\\\"[\"}"));
}
