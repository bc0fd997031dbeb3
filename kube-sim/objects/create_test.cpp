#include <doctest/doctest.h>

#include "kube-sim/objects/object_writer.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

/// Counts what is asked of it.
class CountingResource final : public Resource {
 public:
  CountingResource()
      : Resource(ResourceInfo{.group = "example.org",
                              .version = "v1",
                              .plural = "things",
                              .singular = "thing",
                              .kind = "Thing",
                              .namespaced = false,
                              .has_status = true}) {}
  void add_defaults(json& object) const override {
    ++defaults;
    object["spec"]["size"] = 1;
  }
  [[nodiscard]] Causes validate(const json& object) const override {
    ++validations;
    CHECK(object["spec"]["size"] == 1);
    CHECK_FALSE(object.contains("status"));
    return {};
  }
  mutable int defaults = 0;
  mutable int validations = 0;
};

}  // namespace

TEST_CASE("a new object gets its defaults and is validated once, without the status that it brings") {
  WatchHub hub(10);
  const auto store = Store::open(make_memory_journal(), {}, hub);
  REQUIRE(store);
  ObjectWriter writer(**store);
  const CountingResource resource;
  for (const bool dry_run : {true, false}) {
    CAPTURE(dry_run);
    const auto made =
        writer.create(resource, "", {{"metadata", {{"generateName", "x-"}}}, {"status", {{"phase", "Done"}}}}, dry_run);
    REQUIRE(made);
    CHECK((*made)->parse()["spec"]["size"] == 1);
    CHECK((*made)->text.find("Done") == std::string::npos);
  }
  CHECK(resource.defaults == 2);
  CHECK(resource.validations == 2);
}
