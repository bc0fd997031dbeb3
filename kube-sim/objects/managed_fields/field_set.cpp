#include "kube-sim/objects/managed_fields/field_set.h"

#include <algorithm>
#include <string_view>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// How a step is shown in a path.
std::string shown(const std::string& step) {
  const std::string rest = step.substr(2);
  switch (step[0]) {
    case 'f': return "." + rest;
    case 'v': return "[=" + rest + "]";
    case 'i': return "[" + rest + "]";
    default: break;
  }
  std::string text;
  const json keys = json::parse(rest, nullptr, false);
  for (const auto& [name, value] : keys.items()) {
    text += (text.empty() ? "" : ",") + name + "=" + value.dump();
  }
  return "[" + text + "]";
}

void collect(const FieldSet& set, const std::string& path, std::vector<std::string>& paths) {
  if (set.self) paths.push_back(path);
  for (const auto& [step, child] : set.children) collect(child, path + shown(step), paths);
}

bool is_scalar(const json& value) { return !value.is_discarded() && !value.is_structured(); }

bool is_key(const json& value) { return value.is_object() && std::all_of(value.begin(), value.end(), is_scalar); }

bool is_step(std::string_view step) {
  // A key is a text with JSON in it, which nothing has measured yet.
  constexpr std::size_t kMostBytesOfStep = 4096;
  if (step.size() < 2 || step.size() > kMostBytesOfStep || step[1] != ':') return false;
  const std::string_view rest = step.substr(2);
  switch (step[0]) {
    case 'f': return true;
    case 'i':
      return !rest.empty() && std::all_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
    case 'k': return is_key(json::parse(rest, nullptr, false));
    case 'v': return is_scalar(json::parse(rest, nullptr, false));
    default: return false;
  }
}

}  // namespace

const FieldSet* FieldSet::at(const std::string& step) const {
  const auto found = children.find(step);
  return found == children.end() ? nullptr : &found->second;
}

void FieldSet::erase(const std::vector<std::string>& path) {
  FieldSet* set = this;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const auto found = set->children.find(path[i]);
    if (found == set->children.end()) return;
    set = &found->second;
  }
  set->children.erase(path.back());
}

void FieldSet::prune() {
  for (auto child = children.begin(); child != children.end();) {
    child->second.prune();
    child = child->second.empty() ? children.erase(child) : std::next(child);
  }
}

void FieldSet::unite(const FieldSet& other) {
  self = self || other.self;
  for (const auto& [step, child] : other.children) children[step].unite(child);
}

void FieldSet::subtract(const FieldSet& other) {
  self = self && !other.self;
  for (auto child = children.begin(); child != children.end();) {
    if (const FieldSet* theirs = other.at(child->first)) child->second.subtract(*theirs);
    child = child->second.empty() ? children.erase(child) : std::next(child);
  }
}

void FieldSet::intersect(const FieldSet& other) {
  self = self && other.self;
  for (auto child = children.begin(); child != children.end();) {
    const FieldSet* theirs = other.at(child->first);
    if (theirs != nullptr) child->second.intersect(*theirs);
    child = theirs == nullptr || child->second.empty() ? children.erase(child) : std::next(child);
  }
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> paths;
  collect(*this, "", paths);
  return paths;
}

json FieldSet::to_json() const {
  json tree = json::object();
  for (const auto& [step, child] : children) {
    json& place = tree[step] = child.to_json();
    if (child.self && !child.children.empty()) place["."] = json::object();
  }
  return tree;
}

std::optional<FieldSet> FieldSet::from_json(const json& tree) {
  if (!tree.is_object()) return std::nullopt;
  FieldSet set;
  for (const auto& [step, child] : tree.items()) {
    if (step == ".") continue;  // read by the level above
    auto below = is_step(step) ? from_json(child) : std::nullopt;
    if (!below) return std::nullopt;
    below->self = child.empty() || child.contains(".");
    set.children.emplace(step, std::move(*below));
  }
  return set;
}

}  // namespace usbloop::apiserver
