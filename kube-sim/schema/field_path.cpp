#include "kube-sim/schema/field_path.h"

#include <algorithm>
#include <charconv>

#include "common/ascii_text.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestPath = 1024;

/// A name up to the next '.' or '['; a backslash keeps the character behind it.
std::string take_name(std::string_view& rest) {
  std::string name;
  while (!rest.empty() && rest.front() != '.' && rest.front() != '[') {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    name += rest.front();
    rest.remove_prefix(1);
  }
  return name;
}

/// The text without quotes of one kind around it; nothing when there are none.
std::optional<std::string_view> unquoted(std::string_view text) {
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') || text.front() != text.back()) {
    return std::nullopt;
  }
  return text.substr(1, text.size() - 2);
}

std::string written(const std::string& text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }

std::string without_quotes(const std::string& text) { return text.substr(1, text.size() - 2); }

bool equals(const json& value, const std::string& text) {
  return value.is_string() ? value.get_ref<const std::string&>() == text : value.dump() == text;
}

}  // namespace

std::optional<FieldPath> FieldPath::parse(std::string_view rest) {
  if (rest.size() > kLongestPath) return std::nullopt;
  FieldPath path;
  while (!rest.empty()) {
    Step step;
    if (rest.front() == '.') {
      rest.remove_prefix(1);
      step.name = take_name(rest);
      if (step.name.empty() && !(rest.starts_with('[') && path.steps_.empty())) return std::nullopt;
      if (!step.name.empty()) path.steps_.push_back(std::move(step));
      continue;
    }
    if (rest.front() != '[') return std::nullopt;
    const auto end = rest.starts_with("[?(") ? rest.find(")]") : rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    if (rest.starts_with("[?(")) {
      std::string_view filter = rest.substr(3, end - 3);
      const auto operation = filter.find("==");
      if (!filter.starts_with("@.") || operation == std::string_view::npos) return std::nullopt;
      const std::string_view wanted = trim(filter.substr(operation + 2));
      step.kind = Step::Kind::filter;
      step.name = trim(filter.substr(2, operation - 2));
      step.value = unquoted(wanted).value_or(wanted);
      rest.remove_prefix(end + 2);
    } else {
      const std::string_view inside = rest.substr(1, end - 1);
      rest.remove_prefix(end + 1);
      if (inside.empty() || inside == "*") {
        step.kind = Step::Kind::all;
      } else if (const auto name = unquoted(inside)) {
        step.name = *name;
      } else {
        step.kind = Step::Kind::index;
        const auto [stop, error] = std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
        if (error != std::errc() || stop != inside.data() + inside.size()) return std::nullopt;
      }
    }
    path.steps_.push_back(std::move(step));
  }
  for (Step& step : path.steps_) {
    step.written_name = without_quotes(written(step.name));
    step.written_value = written(step.value);
  }
  return path;
}

const json* FieldPath::walk_names(const json& object, std::size_t& step) const {
  const json* at = &object;
  for (step = 0; step < steps_.size() && steps_[step].kind == Step::Kind::name; ++step) {
    if (!at->is_object()) return nullptr;
    const auto child = at->find(steps_[step].name);
    if (child == at->end()) return nullptr;
    at = &*child;
  }
  return at;
}

std::vector<const json*> FieldPath::select(const json& object) const {
  std::size_t walked = 0;
  const json* start = walk_names(object, walked);
  if (start == nullptr) return {};
  std::vector<const json*> found = {start};
  for (; walked < steps_.size(); ++walked) {
    const Step& step = steps_[walked];
    std::vector<const json*> next;
    for (const json* at : found) {
      if (next.size() >= kMostResults) break;
      if (step.kind == Step::Kind::name) {
        if (at->is_object() && at->contains(step.name)) next.push_back(&at->at(step.name));
      } else if (step.kind == Step::Kind::index) {
        if (at->is_array() && step.index < at->size()) next.push_back(&(*at)[step.index]);
      } else if (at->is_structured()) {
        for (const json& child : *at) {
          const bool fits = step.kind == Step::Kind::all ||
                            (child.is_object() && child.contains(step.name) && equals(child.at(step.name), step.value));
          if (fits && next.size() < kMostResults) next.push_back(&child);
        }
      }
    }
    found = std::move(next);
  }
  return found;
}

const json* FieldPath::first(const json& object) const {
  if (names_only()) {
    std::size_t walked = 0;
    return walk_names(object, walked);
  }
  const auto found = select(object);
  return found.empty() ? nullptr : found.front();
}

bool FieldPath::names_only() const {
  return std::all_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.kind == Step::Kind::name; });
}

bool FieldPath::put(json& object, const json& value) const {
  if (!names_only()) return false;
  json* at = &object;
  for (const Step& step : steps_) {
    if (at->is_null()) *at = json::object();
    if (!at->is_object()) return false;
    at = &(*at)[step.name];
  }
  *at = value;
  return true;
}

}  // namespace usbloop::apiserver
