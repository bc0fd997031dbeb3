#include "kube-sim/rest/selectors.h"

#include <algorithm>
#include <optional>

namespace usbloop::apiserver {
namespace {

using Operator = Requirement::Operator;

/// The words of a label selector: names, and the operators = == != ! ( ) ,
class LabelLexer {
 public:
  explicit LabelLexer(std::string_view text) : rest_(text) { advance(); }

  [[nodiscard]] std::string_view word() const { return word_; }
  [[nodiscard]] bool at_end() const { return word_.empty(); }
  [[nodiscard]] bool at_name() const { return !at_end() && !is_special(word_.front()); }

  bool take(std::string_view expected) {
    if (word_ != expected) return false;
    advance();
    return true;
  }
  std::string take_name() {
    std::string name(word_);
    advance();
    return name;
  }

 private:
  static bool is_special(char c) { return c == '=' || c == '!' || c == '(' || c == ')' || c == ','; }
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  void advance() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    std::size_t length = 0;
    if (rest_.starts_with("==") || rest_.starts_with("!=")) {
      length = 2;
    } else if (!rest_.empty() && is_special(rest_.front())) {
      length = 1;
    } else {
      while (length < rest_.size() && !is_special(rest_[length]) && !is_blank(rest_[length])) ++length;
    }
    word_ = rest_.substr(0, length);
    rest_.remove_prefix(length);
  }

  std::string_view rest_;
  std::string_view word_;
};

std::optional<std::vector<std::string>> parse_set(LabelLexer& lexer) {
  std::vector<std::string> values;
  if (!lexer.take("(")) return std::nullopt;
  while (true) {
    values.push_back(lexer.at_name() ? lexer.take_name() : std::string());
    if (lexer.take(")")) return values;
    if (!lexer.take(",")) return std::nullopt;
  }
}

std::optional<Requirement> parse_requirement(LabelLexer& lexer) {
  Requirement requirement;
  if (lexer.take("!")) {
    if (!lexer.at_name()) return std::nullopt;
    return Requirement{lexer.take_name(), Operator::does_not_exist, {}};
  }
  if (!lexer.at_name()) return std::nullopt;
  requirement.key = lexer.take_name();
  if (lexer.at_end() || lexer.word() == ",") return requirement;
  const bool in = lexer.take("in");
  if (in || lexer.take("notin")) {
    auto values = parse_set(lexer);
    if (!values) return std::nullopt;
    requirement.op = in ? Operator::in : Operator::not_in;
    requirement.values = std::move(*values);
    return requirement;
  }
  const bool equal = lexer.take("=") || lexer.take("==");
  if (!equal && !lexer.take("!=")) return std::nullopt;
  requirement.op = equal ? Operator::in : Operator::not_in;
  requirement.values.push_back(lexer.at_name() ? lexer.take_name() : std::string());
  return requirement;
}

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

std::optional<std::string> unescape(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (++i == text.size() || (text[i] != '\\' && text[i] != ',' && text[i] != '=')) return std::nullopt;
    } else if (text[i] == '=' || text[i] == ',') {
      return std::nullopt;
    }
    value += text[i];
  }
  return value;
}

std::optional<Requirement> parse_field_term(std::string_view term) {
  const auto equals = term.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  Requirement requirement;
  const bool negated = term[equals - 1] == '!';
  requirement.op = negated ? Operator::not_in : Operator::in;
  requirement.key = std::string(term.substr(0, negated ? equals - 1 : equals));
  std::string_view value = term.substr(equals + 1);
  if (!negated && value.starts_with("=")) value.remove_prefix(1);
  auto unescaped = unescape(value);
  if (!unescaped || requirement.key.empty()) return std::nullopt;
  requirement.values.push_back(std::move(*unescaped));
  return requirement;
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
  }
  return false;
}

}  // namespace

tl::expected<Selector, std::string> Selector::parse_labels(std::string_view text) {
  Selector selector;
  LabelLexer lexer(text);
  while (!lexer.at_end()) {
    auto requirement = parse_requirement(lexer);
    if (!requirement || (!lexer.at_end() && !lexer.take(","))) {
      return tl::unexpected("unable to parse requirement: found '" + std::string(lexer.word()) + "' in '" +
                            std::string(text) + "'");
    }
    selector.requirements_.push_back(std::move(*requirement));
  }
  return selector;
}

tl::expected<Selector, std::string> Selector::parse_fields(std::string_view text) {
  Selector selector;
  selector.absent_is_empty_ = true;
  while (!text.empty()) {
    const std::string_view term = text.substr(0, end_of_term(text));
    text.remove_prefix(std::min(term.size() + 1, text.size()));
    if (term.empty()) continue;
    auto requirement = parse_field_term(term);
    if (!requirement) {
      return tl::unexpected("invalid selector: '" + std::string(term) + "'; can't understand '" + std::string(term) +
                            "'");
    }
    selector.requirements_.push_back(std::move(*requirement));
  }
  return selector;
}

bool Selector::matches(const Fields& fields) const {
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& requirement) { return holds(requirement, fields, absent_is_empty_); });
}

}  // namespace usbloop::apiserver
