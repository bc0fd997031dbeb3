#include "kube-sim/schema/field_path.h"

#include <doctest/doctest.h>

using nlohmann::json;
using usbloop::apiserver::FieldPath;

namespace {

const json kWidget = json::parse(R"({"spec":{"a.b":"dotted","list":[{"n":"x","v":1},{"n":"y","v":2}]}})");

std::string selected(const char* path) {
  const auto parsed = FieldPath::parse(path);
  REQUIRE(parsed.has_value());
  std::string text;
  for (const json* found : parsed->select(kWidget)) text += found->dump() + " ";
  return text;
}

}  // namespace

TEST_CASE("a path selects fields, items and what fits a filter") {
  CHECK(selected(".spec.list[0].n") == "\"x\" ");
  CHECK(selected(".spec.list[*].v") == "1 2 ");
  CHECK(selected(".spec.list[].v") == "1 2 ");
  CHECK(selected(".spec.list[?(@.n==\"y\")].v") == "2 ");
  CHECK(selected(".spec.list[?(@.n == 'x')].v") == "1 ");
  CHECK(selected(".spec['a.b']") == "\"dotted\" ");
  CHECK(selected(".spec.a\\.b") == "\"dotted\" ");
  CHECK(selected(".spec.none.further").empty());
  CHECK(selected(".spec.list[7]").empty());
}

TEST_CASE("what is no path is refused") {
  for (const char* text : {"spec", ".spec[", ".spec[x]", ".a[?(x)]", "..", ".a[-1]"}) {
    CAPTURE(text);
    CHECK_FALSE(FieldPath::parse(text).has_value());
  }
  CHECK_FALSE(FieldPath::parse("." + std::string(2000, 'a')).has_value());
}

TEST_CASE("a value is put at a path of names, unless something else is in the way") {
  json object = {{"spec", {{"text", "x"}}}};
  CHECK(FieldPath::parse(".spec.deep.replicas")->put(object, 3));
  CHECK(object["spec"]["deep"]["replicas"] == 3);
  CHECK_FALSE(FieldPath::parse(".spec.text.replicas")->put(object, 3));
  CHECK_FALSE(FieldPath::parse(".spec.list[0]")->put(object, 3));
}
