#include "kube-sim/rest/selectors.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "kube-sim/rest/label_selector.h"

namespace usbloop::apiserver {
namespace {

using Operator = Requirement::Operator;

/// The end of a field term: the first comma that no backslash escapes.
std::size_t end_of_term(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      return i;
    }
  }
  return text.size();
}

tl::expected<std::string, std::string> unescape(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      const std::string_view escaped = text.substr(i + 1, 1);
      if (escaped != "\\" && escaped != "," && escaped != "=") {
        return tl::unexpected("invalid field selector: invalid escape sequence: \\" + std::string(escaped));
      }
      ++i;
    } else if (text[i] == '=' || text[i] == ',') {
      // Shown as the number that it is in Go.
      return tl::unexpected("invalid field selector: unescaped character in value: " + std::to_string(int{text[i]}));
    }
    value += text[i];
  }
  return value;
}

/// `selector`: the whole one, for the error.
tl::expected<Requirement, std::string> parse_field_term(std::string_view term, std::string_view selector) {
  const auto equals = term.find('=');
  if (equals == std::string_view::npos) {
    return tl::unexpected("invalid selector: '" + std::string(selector) + "'; can't understand '" + std::string(term) +
                          "'");
  }
  Requirement requirement;
  const bool negated = equals > 0 && term[equals - 1] == '!';
  requirement.op = negated ? Operator::not_in : Operator::in;
  requirement.key = std::string(term.substr(0, negated ? equals - 1 : equals));
  std::string_view value = term.substr(equals + 1);
  if (!negated && value.starts_with("=")) value.remove_prefix(1);
  auto unescaped = unescape(value);
  if (!unescaped) return tl::unexpected(unescaped.error());
  requirement.values.push_back(std::move(*unescaped));
  return requirement;
}

std::optional<std::int64_t> integer_of(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Whether both are numbers, and the label's is beyond the other.
bool is_beyond(const std::string& label, const Requirement& requirement) {
  const auto number = integer_of(label);
  const auto limit = integer_of(requirement.values.front());
  if (!number || !limit) return false;
  return requirement.op == Operator::greater ? *number > *limit : *number < *limit;
}

bool holds(const Requirement& requirement, const Fields& fields, bool absent_is_empty) {
  static const std::string kEmpty;
  const auto found = fields.find(requirement.key);
  const bool exists = found != fields.end() || absent_is_empty;
  const auto listed = [&] {
    const std::string& value = found == fields.end() ? kEmpty : found->second;
    return std::find(requirement.values.begin(), requirement.values.end(), value) != requirement.values.end();
  };
  switch (requirement.op) {
    case Operator::exists: return exists;
    case Operator::does_not_exist: return !exists;
    case Operator::in: return exists && listed();
    case Operator::not_in: return !exists || !listed();
    case Operator::greater:
    case Operator::less: return found != fields.end() && is_beyond(found->second, requirement);
  }
  return false;
}

}  // namespace

tl::expected<Selector, std::string> Selector::parse_labels(std::string_view text) {
  auto requirements = parse_label_requirements(text);
  if (!requirements) return tl::unexpected(std::move(requirements.error()));
  Selector selector;
  selector.requirements_ = std::move(*requirements);
  return selector;
}

tl::expected<Selector, std::string> Selector::parse_fields(std::string_view text) {
  const std::string_view whole = text;
  Selector selector;
  selector.absent_is_empty_ = true;
  while (!text.empty()) {
    const std::string_view term = text.substr(0, end_of_term(text));
    text.remove_prefix(std::min(term.size() + 1, text.size()));
    if (term.empty()) continue;
    auto requirement = parse_field_term(term, whole);
    if (!requirement) return tl::unexpected(std::move(requirement.error()));
    selector.requirements_.push_back(std::move(*requirement));
  }
  return selector;
}

bool Selector::matches(const Fields& fields) const {
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& requirement) { return holds(requirement, fields, absent_is_empty_); });
}

}  // namespace usbloop::apiserver
