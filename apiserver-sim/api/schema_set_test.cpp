#include "kube-sim/schema/schema_set.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "apiserver-sim/kinds/all_kinds.h"

using usbloop::apiserver::all_schemas;
using usbloop::apiserver::Schema;
using usbloop::apiserver::SchemaRule;
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
  parts []Part{..3}:count
  spare[]? []Part
  share? string~^(0(?:\.\d{1,3})?|1)$ Share of: all
  port int32{1..65535}
  path string{..9}
  %path self.startsWith('/'): begins at the root
  %path !self.contains('..'): goes no way back
  sure bool
  %sure self == true: has to be
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
  CHECK(later.schema->field("count")->schema->natural);
  CHECK(thing->field("colour")->schema->allowed == std::vector<std::string>{"red", "green"});
  CHECK(thing->field("sizes")->schema->element->type == Schema::Type::quantity);
  CHECK(thing->field("parts")->schema->element->name == "Part");
  CHECK(thing->field("parts")->schema->most == 3);
  CHECK(thing->field("parts")->merge == "count");
  CHECK(thing->field("parts")->no_twins);
  CHECK(thing->field("share")->nullable);
  CHECK(thing->field("spare")->schema->null_items);
  CHECK_FALSE(thing->field("spare")->nullable);
  CHECK(thing->field("share")->schema->pattern == "^(0(?:\\.\\d{1,3})?|1)$");
  CHECK(thing->field("share")->description == "Share of: all");
  CHECK(thing->field("port")->schema->minimum == 1);
  CHECK(thing->field("port")->schema->maximum == 65535);
  CHECK(thing->field("path")->schema->most == 9);
  REQUIRE(thing->field("path")->rules.size() == 2);
  CHECK(thing->field("path")->rules[0].text == "/");
  CHECK(thing->field("path")->rules[1].form == SchemaRule::Form::lacks);
  CHECK(thing->field("path")->rules[1].message == "goes no way back");
  CHECK(thing->field("sure")->rules[0].form == SchemaRule::Form::is_true);
  CHECK(thing->field("metadata")->schema->name == "ObjectMeta");
}

TEST_CASE("a mistake in a schema file is found when it is read") {
  CHECK_THROWS_AS(SchemaSet({"package p p/v1\ntype A:\n  b Missing\n"}), std::logic_error);
  CHECK_THROWS_AS(SchemaSet({"package p p/v1\ntype A:\ntype A:\n"}), std::logic_error);
  CHECK_THROWS_AS(SchemaSet({"struct A\n"}), std::logic_error);
  for (const char* field :
       {"a string{1..2}", "a bool{..2}", "a int{2}", "a int{x..}", "a B{..2}", "a map[int]{..2}",
        "a bool\n  %b self == true: no", "a bool\n  %a self == false: no", "a bool\n  %a self == true"}) {
    CAPTURE(field);
    const std::string text = "package p p/v1\ntype B:\n  c int\ntype A:\n  " + std::string(field) + "\n";
    CHECK_THROWS_AS(SchemaSet({text}), std::logic_error);
  }
}
