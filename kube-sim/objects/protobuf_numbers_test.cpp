#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "kube-sim/resources/kubernetes_kinds.h"
#include "kube-sim/schema/schema_set.h"

using namespace usbloop::apiserver;
using Type = Schema::Type;

namespace {

/// A field of one of Kubernetes' messages, as protobuf_numbers.txt has it.
struct Fact {
  std::string name;
  std::uint32_t number = 0;
  std::string kind;
};
using MessageFacts = std::map<std::string, std::vector<Fact>>;

MessageFacts read_facts(std::istream& lines) {
  MessageFacts facts;
  std::vector<Fact>* message = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != ' ') {
      message = &facts[line];
      continue;
    }
    std::istringstream words(line);
    Fact fact;
    words >> fact.name >> fact.number >> fact.kind;
    REQUIRE_MESSAGE((message != nullptr && !fact.kind.empty()), line);
    message->push_back(fact);
  }
  return facts;
}

/// What is between a beginning and an end; empty when the text is not of that form.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  if (!text.starts_with(begin) || !text.ends_with(end)) return {};
  return text.substr(begin.size(), text.size() - begin.size() - end.size());
}

/// Goes through schemas and messages side by side, from kinds down to scalars.
class MessageComparison {
 public:
  explicit MessageComparison(MessageFacts facts) : facts_(std::move(facts)) {}

  std::set<std::string> faults;
  std::set<std::pair<const Schema*, std::string>> compared;
  std::size_t fields = 0;

  void compare(const Schema& schema, const std::string& message) {
    if (!compared.emplace(&schema, message).second) return;
    if (!facts_.contains(message)) {
      faults.insert("no message " + message + " for " + schema.name);
      return;
    }
    std::set<std::string_view> embedded;
    for (const Schema::Inlined& part : schema.inlined) {
      for (const SchemaField& field : part.schema->fields) embedded.insert(field.name);
      const Fact* fact = find(message, [&](const Fact& known) { return known.number == part.number; });
      if (fact == nullptr) {
        faults.insert(message + " has no field " + std::to_string(part.number) + " for " + part.schema->name);
      } else {
        compare(*part.schema, fact->kind);
      }
    }
    for (const SchemaField& field : schema.fields) {
      if (!embedded.contains(field.name)) compare(field, message);
    }
  }

 private:
  template <typename Condition>
  const Fact* find(const std::string& message, Condition is_it) const {
    const auto& known = facts_.at(message);
    const auto found = std::find_if(known.begin(), known.end(), is_it);
    return found == known.end() ? nullptr : &*found;
  }

  void compare(const SchemaField& field, const std::string& message) {
    const std::string where = message + "." + field.name;
    const Fact* fact = find(message, [&](const Fact& known) { return known.name == field.name; });
    if (fact == nullptr) {
      // They stand in the envelope.
      const bool in_envelope = field.number == 0 && (field.name == "apiVersion" || field.name == "kind");
      if (!in_envelope) faults.insert(where + " is no field of the message");
      return;
    }
    ++fields;
    if (field.number != fact->number) {
      faults.insert(where + " has number " + std::to_string(field.number) + ", not " + std::to_string(fact->number));
    }
    std::string kind = fact->kind;
    const bool is_pointer = kind.starts_with('*');
    if (is_pointer) kind.erase(0, 1);
    const bool is_scalar = field.schema->type == Type::integer || field.schema->type == Type::boolean ||
                           field.schema->type == Type::string;
    if (is_scalar && (is_pointer ? !field.keeps_zero : field.keeps_zero && !field.required)) {
      faults.insert(where + (is_pointer ? " loses" : " makes up") + " 0, false or \"\"");
    }
    if (!is_of_kind(*field.schema, kind)) faults.insert(where + " is no " + fact->kind);
  }

  /// Compares what is within objects, too.
  bool is_of_kind(const Schema& schema, const std::string& kind) {
    const bool is_list = kind.starts_with("[]");
    switch (schema.type) {
      case Type::array: return is_list && is_of_kind(*schema.element, kind.substr(2));
      case Type::map: return is_entry(*schema.element, between(kind, "map[", "]"));
      case Type::string: return kind == (schema.format == "byte" ? "bytes" : "string");
      case Type::boolean: return kind == "bool";
      case Type::integer: return kind == schema.format;
      case Type::quantity: return kind == "resource.Quantity";
      case Type::int_or_string: return kind == "intstr.IntOrString";
      case Type::time: return kind == (schema.microseconds ? "meta.v1.MicroTime" : "meta.v1.Time");
      case Type::number: return false;
      case Type::object: break;
    }
    if (schema.name.empty()) return kind == "meta.v1.FieldsV1";  // JSON within protobuf
    if (!facts_.contains(kind)) return false;
    compare(schema, kind);
    return true;
  }

  /// A list as a map's value is a message with the list as its only field, which has number 1.
  bool is_entry(const Schema& value, const std::string& kind) {
    if (value.type != Type::array) return is_of_kind(value, kind);
    if (!facts_.contains(kind)) return false;
    const auto& list = facts_.at(kind);
    return list.size() == 1 && list[0].number == 1 && is_of_kind(value, list[0].kind);
  }

  MessageFacts facts_;
};

/// The kinds that come as protobuf, with their messages.
std::map<std::string, const Schema*> kinds_of(const SchemaSet& schemas) {
  std::map<std::string, const Schema*> kinds;
  for (const Schema* schema : schemas.types()) {
    const SchemaField* metadata = schema->field("metadata");
    const bool is_kind = schema->field("kind") != nullptr && metadata != nullptr && metadata->number != 0;
    const std::string package = between(schema->package, "io.k8s.api.", "");
    if (is_kind && !package.empty()) kinds[package + "." + schema->name] = schema;
  }
  return kinds;
}

MessageFacts kubernetes_facts() {
  std::ifstream file(USBLOOP_PROTOBUF_NUMBERS);
  return read_facts(file);
}

std::string faults_of(const MessageComparison& comparison) {
  std::string text;
  for (const std::string& fault : comparison.faults) text += fault + "\n";
  return text;
}

}  // namespace

TEST_CASE("fields that come as protobuf have the numbers and kinds of Kubernetes' messages") {
  const SchemaSet schemas(kubernetes_schemas());
  MessageComparison comparison(kubernetes_facts());
  const auto kinds = kinds_of(schemas);
  CHECK(kinds.size() == 30);
  for (const auto& [message, schema] : kinds) comparison.compare(*schema, message);
  comparison.compare(*schemas.type("io.k8s.apimachinery.pkg.apis.meta.v1", "DeleteOptions"), "meta.v1.DeleteOptions");
  CHECK(comparison.compared.size() > 240);
  CHECK(comparison.fields > 1000);
  CHECK(faults_of(comparison) == "");
}

TEST_CASE("a number, kind or zero that is not Kubernetes' is found") {
  const SchemaSet schemas({R"(
package io.k8s.apimachinery.pkg.apis.meta.v1 meta.k8s.io/v1
type ObjectMeta: Metadata.
  name string#1 Name.
package io.k8s.api.one.v1 one/v1
kind Thing: A thing.
  spec Spec#2 What is wished.
type Inner: Within another.
  port int32#1 Number.
type Other: In a list.
  size int64#4 Size.
type Spec: What is wished.
  +Inner#1
  data map[bytes]#2 Data.
  extra map[[]string]#3 Lists.
  later string#9 Not upstream's.
  missing Other Without a number.
  others []Other#5 Others.
  paused bool#6* Whether nothing happens.
  replicas int32#7 How many.
  when microtime#8 Time.
)"});
  std::istringstream lines(R"(# a comment
meta.v1.ObjectMeta
  name 2 string
one.v1.Thing
  metadata 1 meta.v1.ObjectMeta
  spec 2 one.v1.Spec
one.v1.Spec
  inner 1 one.v1.Inner
  data 2 map[string]
  extra 3 map[one.v1.List]
  missing 4 one.v1.Other
  others 5 []one.v1.Other
  paused 6 bool
  replicas 7 *int32
  when 8 meta.v1.Time
one.v1.List
  items 2 []string
one.v1.Inner
  port 1 string
one.v1.Other
  size 4 int32
)");
  MessageComparison comparison(read_facts(lines));
  for (const auto& [message, schema] : kinds_of(schemas)) comparison.compare(*schema, message);
  CHECK(faults_of(comparison) ==
        "meta.v1.ObjectMeta.name has number 1, not 2\n"
        "one.v1.Inner.port is no string\n"
        "one.v1.Other.size is no int32\n"
        "one.v1.Spec.data is no map[string]\n"
        "one.v1.Spec.extra is no map[one.v1.List]\n"
        "one.v1.Spec.later is no field of the message\n"
        "one.v1.Spec.missing has number 0, not 4\n"
        "one.v1.Spec.paused makes up 0, false or \"\"\n"
        "one.v1.Spec.replicas loses 0, false or \"\"\n"
        "one.v1.Spec.when is no meta.v1.Time\n");
}
