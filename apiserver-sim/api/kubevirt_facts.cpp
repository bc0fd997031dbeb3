#include "apiserver-sim/api/kubevirt_facts.h"

#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>

namespace usbloop::apiserver {
namespace {

using Type = Schema::Type;

constexpr const char* kKinds[] = {"VirtualMachineInstance", "VirtualMachine"};

/// Calls with each kind's name and each line below it.
void for_each_line(const std::string& file, const std::function<void(const std::string&, const std::string&)>& take) {
  std::ifstream lines(file);
  if (!lines) throw std::runtime_error("cannot read " + file);
  std::string kind;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    if (line == kKinds[0] || line == kKinds[1]) {
      kind = line;
    } else {
      take(kind, line);
    }
  }
}

std::string below(const std::string& path, const std::string& name) {
  return path.empty() || path == "." ? name : path + "." + name;
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

class Collector {
 public:
  std::set<std::string> found;

  void collect(const Schema& schema, const std::string& path) {
    scalar(schema, path);
    if (schema.null_items) add(path + "[]", "nullable");
    if (schema.element != nullptr) collect(*schema.element, path + (schema.type == Type::array ? "[]" : "{}"));
    if (schema.type != Type::object) return;
    if (schema.open && !schema.name.empty()) add(path, "open");
    std::set<std::string> needed;
    for (const SchemaField& field : schema.fields) {
      if (path == "." && (field.name == "metadata" || field.name == "apiVersion" || field.name == "kind")) continue;
      if (field.required) needed.insert(field.name);
      of_field(field, below(path, field.name));
    }
    if (!needed.empty()) add(path, "needs " + joined(needed));
  }

 private:
  void add(const std::string& path, const std::string& what) { found.insert(path + " " + what); }

  void of_field(const SchemaField& field, const std::string& path) {
    collect(*field.schema, path);
    if (field.schema->type == Type::object && field.schema->open && field.schema->name.empty()) add(path, "open");
    if (field.nullable) add(path, "nullable");
    if (field.no_twins) add(path, field.merge == "set" ? "no-twins" : "no-twins " + field.merge);
    for (const SchemaRule& rule : field.rules) add(path, "rule " + rule.rule + " says " + rule.message);
  }

  void scalar(const Schema& schema, const std::string& path) {
    const bool counted = schema.type == Type::integer || schema.type == Type::time;
    if (counted && !schema.format.empty()) add(path, schema.format);
    if (schema.type == Type::quantity) add(path, "quantity");
    if (schema.type == Type::int_or_string) add(path, "int-or-string");
    if (schema.most) add(path, "most " + std::to_string(*schema.most));
    if (schema.minimum) add(path, "least " + std::to_string(*schema.minimum));
    if (schema.maximum) add(path, "greatest " + std::to_string(*schema.maximum));
    if (!schema.pattern.empty()) add(path, "like " + schema.pattern);
    if (!schema.allowed.empty()) add(path, "one-of " + joined({schema.allowed.begin(), schema.allowed.end()}));
  }
};

/// A constraint with what it lists by the alphabet.
std::string in_order(const std::string& constraint) {
  for (const std::string lists : {"needs ", "one-of "}) {
    if (!constraint.starts_with(lists)) continue;
    std::set<std::string> names;
    std::istringstream words(constraint.substr(lists.size()));
    for (std::string name; std::getline(words, name, ',');) names.insert(name);
    return lists + joined(names);
  }
  return constraint;
}

}  // namespace

KindFacts read_constraints(const std::string& file) {
  KindFacts facts;
  for_each_line(file, [&](const std::string& kind, const std::string& line) {
    const std::string path = line.substr(0, line.find(' '));
    std::string rest = line.substr(path.size() + 1);
    if (rest == "as a VirtualMachineInstance") {
      for (const std::string& fact : facts[kKinds[0]]) {
        if (fact.starts_with("spec ") || fact.starts_with("spec.")) facts[kind].insert(path + fact.substr(4));
      }
      return;
    }
    for (std::size_t end = 0; end != std::string::npos; rest.erase(0, end + 2)) {
      end = rest.find("; ");
      facts[kind].insert(path + " " + in_order(rest.substr(0, end)));
      if (end == std::string::npos) break;
    }
  });
  return facts;
}

KindFacts read_paths(const std::string& file) {
  KindFacts facts;
  for_each_line(file, [&](const std::string& kind, const std::string& line) {
    const std::size_t colon = line.find(": ");
    std::istringstream names(line.substr(colon + 2));
    for (std::string name; names >> name;) facts[kind].insert(line.substr(0, colon) + "." + name);
  });
  return facts;
}

std::set<std::string> constraints_of(const Schema& kind, const KindDescription& description) {
  Collector collector;
  collector.collect(kind, ".");
  for (const auto& [path, value] : description.defaults) {
    collector.found.insert(path.substr(1) + " default " + value.dump());
  }
  return std::move(collector.found);
}

bool knows(const Schema& schema, const std::string& path) {
  if (path.empty()) return true;
  if (path.starts_with("[]")) return schema.type == Type::array && knows(*schema.element, path.substr(2));
  if (path.starts_with("{}")) return schema.type == Type::map && knows(*schema.element, path.substr(2));
  const std::size_t begin = path.starts_with('.') ? 1 : 0;
  const std::size_t end = path.find_first_of(".[{", begin);
  const SchemaField* field = schema.field(path.substr(begin, end - begin));
  return field != nullptr && knows(*field->schema, end == std::string::npos ? "" : path.substr(end));
}

}  // namespace usbloop::apiserver
