#include "kube-sim/schema/schema_set.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "apiserver-sim/kinds/all_kinds.h"

using usbloop::apiserver::all_schemas;
using usbloop::apiserver::Schema;
using usbloop::apiserver::SchemaSet;

TEST_CASE("the schemas that are compiled in are complete, and say what KubeVirt says") {
  const SchemaSet schemas(all_schemas());
  const Schema* vmi = schemas.kind("kubevirt.io/v1", "VirtualMachineInstance");
  REQUIRE(vmi != nullptr);
  REQUIRE(vmi->field("spec") != nullptr);
  CHECK(vmi->field("spec")->required);
  const Schema* domain = vmi->field("spec")->schema->field("domain")->schema;
  const auto* passthrough = domain->field("devices")->schema->field("clientPassthrough");
  REQUIRE(passthrough != nullptr);
  CHECK(passthrough->description == "Present, even empty: clients can attach their USB devices to the guest.");
  CHECK(passthrough->schema->fields.empty());
  CHECK_FALSE(passthrough->schema->open);
  for (const char* kind : {"Namespace", "Node", "Pod", "Event"}) CHECK(schemas.kind("v1", kind) != nullptr);
  CHECK(schemas.kind("v1", "Toleration") == nullptr);
  CHECK(schemas.kind("v2", "Pod") == nullptr);
}

TEST_CASE("a schema file names fields, types and what belongs to them") {
  const SchemaSet set({R"(
# a comment
package meta meta/v1
type ObjectMeta:
  name string

package one one.io/v1 custom
kind Thing: A thing.
  later! Later What comes
      later.
  colour string(red|green)
  sizes map[quantity]
  parts []Part
type Later:
  +Part
  ...
type Part:
  count uint32 How many: a number
)"});
  const Schema* thing = set.kind("one.io/v1", "Thing");
  REQUIRE(thing != nullptr);
  CHECK(thing->description == "A thing.");
  CHECK(set.package("one.io/v1")->custom);
  const auto& later = *thing->field("later");
  CHECK(later.required);
  CHECK(later.description == "What comes later.");
  CHECK(later.schema->open);
  REQUIRE(later.schema->field("count") != nullptr);
  CHECK(later.schema->field("count")->description == "How many: a number");
  CHECK(later.schema->field("count")->schema->minimum == 0);
  CHECK(thing->field("colour")->schema->allowed == std::vector<std::string>{"red", "green"});
  CHECK(thing->field("sizes")->schema->element->type == Schema::Type::quantity);
  CHECK(thing->field("parts")->schema->element->name == "Part");
  CHECK(thing->field("metadata")->schema->name == "ObjectMeta");
}

TEST_CASE("a mistake in a schema file is found when it is read") {
  CHECK_THROWS_AS(SchemaSet({"package p p/v1\ntype A:\n  b Missing\n"}), std::logic_error);
  CHECK_THROWS_AS(SchemaSet({"package p p/v1\ntype A:\ntype A:\n"}), std::logic_error);
  CHECK_THROWS_AS(SchemaSet({"struct A\n"}), std::logic_error);
}
