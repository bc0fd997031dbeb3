#include "kube-sim/schema/schema_set.h"

#include <algorithm>

#include "kube-sim/schema/schema_text.h"

namespace usbloop::apiserver {
namespace {

using schema_text::mistake;
using schema_text::take_number;
using schema_text::take_prefix;
using schema_text::take_word;
using Type = Schema::Type;

struct Primitive {
  const char* name;
  Type type;
  const char* format;
};

/// "string~PATTERN"
constexpr std::string_view kPatterned = "string~";

constexpr Primitive kPrimitives[] = {
    {"object", Type::object, ""},       {"string", Type::string, ""},
    {"bytes", Type::string, "byte"},    {"bool", Type::boolean, ""},
    {"int", Type::integer, ""},         {"int32", Type::integer, "int32"},
    {"int64", Type::integer, "int64"},  {"uint", Type::integer, ""},
    {"uint32", Type::integer, "int32"}, {"number", Type::number, "double"},
    {"quantity", Type::quantity, ""},   {"int-or-string", Type::int_or_string, ""},
    {"time", Type::time, "date-time"},  {"microtime", Type::time, "date-time"},
};

}  // namespace

/// Reads the texts in two steps, so that types may name types that come later.
class SchemaSet::Reader {
 public:
  explicit Reader(SchemaSet& set) : set_(set) {}

  /// First step: the types and the lines of their fields.
  void declare(std::string_view text) {
    for (schema_text::Line& line : schema_text::lines_of(text)) {
      if (line.indent > 0) {
        if (declared_.empty()) mistake("a field before all types: " + line.text);
        declared_.back().lines.push_back(std::move(line.text));
      } else if (take_prefix(line.text, "package ")) {
        declare_package(line.text);
      } else if (take_prefix(line.text, "kind ")) {
        declare_type(line.text, true);
      } else if (take_prefix(line.text, "type ")) {
        declare_type(line.text, false);
      } else {
        mistake("neither package, kind, type nor a field: " + line.text);
      }
    }
  }

  /// Second step: the fields.
  void complete() {
    for (Declaration& declaration : declared_) complete(declaration);
  }

 private:
  struct Declaration {
    Schema* schema = nullptr;
    bool is_kind = false;
    std::vector<std::string> lines;
    bool complete = false;
    std::string api_version = {};
    KindDescription* description = nullptr;
  };

  void declare_package(std::string text) {
    SchemaPackage package;
    package.name = take_word(text);
    package.api_version = take_word(text);
    package.custom = text == "custom";
    const auto same = [&](const SchemaPackage& other) { return other.name == package.name; };
    const auto known = std::find_if(set_.packages_.begin(), set_.packages_.end(), same);
    if (known == set_.packages_.end()) set_.packages_.push_back(package);
    package_ = package.name;
    api_version_ = package.api_version;
  }

  void describe_kind(Declaration& declaration, const std::string& line) {
    if (!declaration.is_kind) mistake("no kind has the line @" + line);
    if (declaration.description == nullptr) {
      declaration.description = &set_.described_.emplace_back();
      declaration.description->api_version = declaration.api_version;
      declaration.description->kind = declaration.schema->name;
    }
    read_kind_line(line, *declaration.description);
  }

  void declare_type(const std::string& text, bool is_kind) {
    const std::size_t colon = text.find(':');
    Schema& schema = set_.nodes_.emplace_back();
    schema.type = Type::object;
    schema.name = text.substr(0, colon);
    schema.package = package_;
    if (colon != std::string::npos && colon + 2 < text.size()) schema.description = text.substr(colon + 2);
    if (!set_.types_.emplace(package_ + "." + schema.name, &schema).second) mistake("twice: " + schema.name);
    if (is_kind) {
      for (SchemaPackage& package : set_.packages_) {
        if (package.name == package_) package.kinds.push_back(schema.name);
      }
    }
    declared_.push_back({&schema, is_kind, {}, false, api_version_});
  }

  void complete(Declaration& declaration) {
    if (declaration.complete) return;
    declaration.complete = true;
    Schema& schema = *declaration.schema;
    if (declaration.is_kind) add_type_and_metadata(schema);
    for (std::string text : declaration.lines) {
      if (text == "...") {
        schema.open = true;
      } else if (take_prefix(text, "+")) {
        embed(schema, text);
      } else if (take_prefix(text, "@")) {
        describe_kind(declaration, text);
      } else if (take_prefix(text, "%")) {
        add_rule(schema, text);
      } else {
        add_field(schema, text);
      }
    }
  }

  void add_type_and_metadata(Schema& schema) {
    add_field(schema, "apiVersion string API version in which the object is written, such as v1.");
    add_field(schema, "kind string Kind of the object, in CamelCase. It cannot change.");
    add_field(schema, "metadata ObjectMeta#1 Name, labels and other data that every object has.");
  }

  /// As in Go: the fields of the embedded type are the type's own.
  void embed(Schema& schema, std::string name) {
    const std::uint32_t number = take_number(name);
    const Schema* embedded = find_type(schema.package, name);
    for (Declaration& declaration : declared_) {
      if (declaration.schema == embedded) complete(declaration);
    }
    schema.open = schema.open || embedded->open;
    for (SchemaField field : embedded->fields) {
      if (number != 0) field.number = 0;  // it is one of the message's
      schema.fields.push_back(std::move(field));
    }
    if (number != 0) schema.inlined.push_back({number, embedded});
  }

  void add_field(Schema& schema, std::string text) {
    SchemaField field;
    field.name = take_word(text);
    field.defaulted = field.name.ends_with('=');
    field.required = field.defaulted || field.name.ends_with('!');
    field.nullable = field.name.ends_with('?');
    if (field.required || field.nullable) field.name.pop_back();
    const bool null_items = field.nullable && field.name.ends_with("[]");
    if (null_items) field.name.resize(field.name.size() - 2);
    field.nullable = field.nullable && !null_items;
    std::string type = take_word(text);
    if (!type.starts_with(kPatterned)) {
      field.number = take_number(type, &field.keeps_zero);
      if (const auto colon = type.find(':'); colon != std::string::npos) {
        field.merge = type.substr(colon + 1);
        type.erase(colon);
      }
    }
    field.no_twins =
        is_custom(schema.package) && !field.merge.empty() && field.merge != "atomic" && field.merge != "open";
    field.schema = read_type(schema.package, type);
    if (null_items) {
      if (field.schema->type != Type::array) mistake("no list: " + field.name);
      Schema& list = set_.nodes_.emplace_back(*field.schema);
      list.null_items = true;
      field.schema = &list;
    }
    // An empty text that is required is as missing as none.
    field.keeps_zero = field.keeps_zero || (field.required && field.schema->type != Type::string);
    field.description = std::move(text);
    schema.fields.push_back(std::move(field));
  }

  /// "%FIELD RULE: MESSAGE", below the line of the field.
  void add_rule(Schema& schema, std::string text) {
    const std::string name = take_word(text);
    const std::size_t colon = text.find(": ");
    if (colon == std::string::npos || schema.fields.empty() || schema.fields.back().name != name) {
      mistake("no rule of the field above: " + name + " " + text);
    }
    schema.fields.back().rules.push_back(schema_text::rule_of(text.substr(0, colon), text.substr(colon + 2)));
  }

  [[nodiscard]] bool is_custom(const std::string& package) const {
    return std::any_of(set_.packages_.begin(), set_.packages_.end(),
                       [&](const SchemaPackage& known) { return known.name == package && known.custom; });
  }

  const Schema* read_type(const std::string& package, std::string text) {
    if (take_prefix(text, kPatterned)) {
      Schema& schema = set_.nodes_.emplace_back();
      schema.type = Type::string;
      schema.pattern = text;
      return &schema;
    }
    if (const auto bounds = schema_text::take_bounds(text)) return bounded(*read_type(package, text), *bounds);
    if (take_prefix(text, "[]")) return container(Type::array, read_type(package, text));
    if (text.starts_with("map[") && text.ends_with(']')) {
      return container(Type::map, read_type(package, text.substr(4, text.size() - 5)));
    }
    if (text.starts_with("string(") && text.ends_with(')')) return one_of(text.substr(7, text.size() - 8));
    for (const Primitive& primitive : kPrimitives) {
      if (text != primitive.name) continue;
      Schema& schema = set_.nodes_.emplace_back();
      schema.type = primitive.type;
      schema.format = primitive.format;
      schema.natural = text.starts_with("uint");
      schema.open = schema.type == Type::object;
      schema.microseconds = text == "microtime";
      return &schema;
    }
    return find_type(package, text);
  }

  const Schema* container(Type type, const Schema* element) {
    Schema& schema = set_.nodes_.emplace_back();
    schema.type = type;
    schema.element = element;
    return &schema;
  }

  const Schema* bounded(const Schema& plain, const schema_text::Bounds& bounds) {
    const bool counted = plain.type == Type::array || plain.type == Type::string;
    const bool fits = counted ? !bounds.least && bounds.most.value_or(-1) >= 0 : plain.type == Type::integer;
    if (!fits) mistake("bounds of what has none");
    Schema& schema = set_.nodes_.emplace_back(plain);
    if (counted) {
      schema.most = static_cast<std::size_t>(*bounds.most);
    } else {
      schema.minimum = bounds.least;
      schema.maximum = bounds.most;
    }
    return &schema;
  }

  const Schema* one_of(std::string values) {
    Schema& schema = set_.nodes_.emplace_back();
    schema.type = Type::string;
    while (!values.empty()) {
      schema.allowed.push_back(values.substr(0, values.find('|')));
      values.erase(0, schema.allowed.back().size() + 1);
    }
    return &schema;
  }

  /// The package's own type of that name, or the first of another package.
  const Schema* find_type(const std::string& package, const std::string& name) {
    if (const Schema* own = set_.type(package, name)) return own;
    for (const SchemaPackage& other : set_.packages_) {
      if (const Schema* found = set_.type(other.name, name)) return found;
    }
    mistake(package + " has no type " + name);
  }

  SchemaSet& set_;
  std::string package_;
  std::string api_version_;
  std::deque<Declaration> declared_;
};

SchemaSet::SchemaSet(const std::vector<std::string_view>& texts) {
  Reader reader(*this);
  for (const std::string_view text : texts) reader.declare(text);
  reader.complete();
}

const Schema* SchemaSet::kind(const std::string& api_version, const std::string& kind) const {
  const SchemaPackage* found = package(api_version);
  if (found == nullptr || std::find(found->kinds.begin(), found->kinds.end(), kind) == found->kinds.end())
    return nullptr;
  return type(found->name, kind);
}

const Schema* SchemaSet::type(const std::string& package, const std::string& name) const {
  const auto found = types_.find(package + "." + name);
  return found == types_.end() ? nullptr : found->second;
}

std::vector<const Schema*> SchemaSet::types() const {
  std::vector<const Schema*> types;
  for (const auto& [name, schema] : types_) types.push_back(schema);
  return types;
}

const KindDescription* SchemaSet::description(const std::string& api_version, const std::string& kind) const {
  for (const KindDescription& described : described_) {
    if (described.api_version == api_version && described.kind == kind) return &described;
  }
  return nullptr;
}

const SchemaPackage* SchemaSet::package(const std::string& api_version) const {
  for (const SchemaPackage& package : packages_) {
    if (package.api_version == api_version) return &package;
  }
  return nullptr;
}

const SchemaField* Schema::field(std::string_view wanted) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.name == wanted; });
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace usbloop::apiserver
