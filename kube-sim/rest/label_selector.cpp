#include "kube-sim/rest/label_selector.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <utility>

#include "kube-sim/resources/names.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using Operator = Requirement::Operator;
using Error = tl::unexpected<std::string>;

enum class Token { end, name, comma, open, closed, no, equal, not_equal, greater, less, fault };

struct Word {
  Token token = Token::end;
  std::string text;
};

/// The words of a label selector, one ahead.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) { advance(); }
  [[nodiscard]] const Word& next() const { return next_; }
  [[nodiscard]] bool is(Token token) const { return next_.token == token; }
  Word take() {
    Word word = std::move(next_);
    advance();
    return word;
  }

 private:
  static bool is_mark(char c) { return std::string_view("=!(),<>").find(c) != std::string_view::npos; }
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  static Token mark(std::string_view text) {
    constexpr std::pair<std::string_view, Token> kMarks[] = {
        {"==", Token::equal}, {"!=", Token::not_equal}, {"=", Token::equal},   {"!", Token::no},  {"(", Token::open},
        {")", Token::closed}, {",", Token::comma},      {">", Token::greater}, {"<", Token::less}};
    for (const auto& [shape, token] : kMarks) {
      if (text == shape) return token;
    }
    return Token::fault;
  }

  void advance() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    std::size_t length = 0;
    Token token = rest_.empty() ? Token::end : Token::name;
    if (!rest_.empty() && is_mark(rest_.front())) {
      length = mark(rest_.substr(0, 2)) != Token::fault && rest_.size() > 1 ? 2 : 1;
      token = mark(rest_.substr(0, length));
    } else {
      while (length < rest_.size() && !is_mark(rest_[length]) && !is_space(rest_[length])) ++length;
    }
    next_ = {token, std::string(rest_.substr(0, length))};
    rest_.remove_prefix(length);
  }

  std::string_view rest_;
  Word next_;
};

Error found(const std::string& word, const char* expected) { return Error("found '" + word + "'" + expected); }

/// An unnamed field's fault, as Kubernetes prints one.
std::string fault_of(const std::string& path, const std::string& value, const std::vector<std::string>& faults) {
  std::string text = path + ": Invalid value: " + field::quoted(value) + ": ";
  for (std::size_t i = 0; i < faults.size(); ++i) text += (i > 0 ? "; " : "") + faults[i];
  return text;
}

tl::expected<Operator, std::string> take_operator(Words& words) {
  const Word word = words.take();
  switch (word.token) {
    case Token::equal: return Operator::in;
    case Token::not_equal: return Operator::not_in;
    case Token::greater: return Operator::greater;
    case Token::less: return Operator::less;
    default: break;
  }
  if (word.text == "in") return Operator::in;
  if (word.text == "notin") return Operator::not_in;
  return found(word.text, ", expected: in, notin, =, ==, !=, gt, lt");
}

using Values = tl::expected<std::set<std::string>, std::string>;

Values take_list(Words& words) {
  std::set<std::string> values;
  while (true) {
    const Word word = words.take();
    if (word.token == Token::name) {
      values.insert(word.text);
      if (words.is(Token::comma)) continue;
      if (words.is(Token::closed)) return values;
      return found(words.next().text, ", expected: ',' or ')'");
    }
    if (word.token != Token::comma) return found(word.text, ", expected: ',', or identifier");
    if (values.empty()) values.insert("");
    if (words.is(Token::comma)) {
      words.take();
      values.insert("");
    }
    if (!words.is(Token::closed)) continue;
    values.insert("");
    return values;
  }
}

Values take_set(Words& words) {
  const Word first = words.take();
  if (first.token != Token::open) return found(first.text, " expected: '('");
  std::set<std::string> values = {""};
  if (!words.is(Token::closed)) {
    if (!words.is(Token::name) && !words.is(Token::comma)) {
      return found(words.next().text, ", expected: ',', ')' or identifier");
    }
    auto list = take_list(words);
    if (!list) return list;
    values = std::move(*list);
  }
  words.take();
  return values;
}

Values take_value(Words& words) {
  if (words.is(Token::end) || words.is(Token::comma)) return std::set<std::string>{""};
  const Word word = words.take();
  if (word.token != Token::name) return found(word.text, ", expected: identifier");
  return std::set<std::string>{word.text};
}

bool is_integer(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Empty when the values fit the operator and can be a label's.
std::string faults_of(const Requirement& requirement) {
  const bool orders = requirement.op == Operator::greater || requirement.op == Operator::less;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < requirement.values.size(); ++i) {
    const std::string& value = requirement.values[i];
    const std::string path = "values[" + std::to_string(i) + "]";
    if (orders && !is_integer(value)) {
      all.push_back(fault_of(path, value, {"for 'Gt', 'Lt' operators, the value must be an integer"}));
    }
    if (const auto faults = label_value_faults(value); !faults.empty()) {
      all.push_back(fault_of(path + "[" + requirement.key + "]", value, faults));
    }
  }
  if (all.size() == 1) return all.front();
  std::string text;
  for (const std::string& fault : all) text += (text.empty() ? "[" : ", ") + fault;
  return text.empty() ? text : text + "]";
}

tl::expected<Requirement, std::string> take_requirement(Words& words) {
  Requirement requirement;
  const bool absent = words.is(Token::no);
  if (absent) words.take();
  const Word key = words.take();
  if (key.token != Token::name) return found(key.text, ", expected: identifier");
  if (const auto faults = qualified_name_faults(key.text); !faults.empty()) {
    return Error(fault_of("<nil>", key.text, faults));
  }
  requirement.key = key.text;
  requirement.op = absent ? Operator::does_not_exist : Operator::exists;
  if (absent || words.is(Token::end) || words.is(Token::comma)) return requirement;
  const bool is_set = words.is(Token::name);
  const auto op = take_operator(words);
  if (!op) return Error(op.error());
  requirement.op = *op;
  const Values values = is_set ? take_set(words) : take_value(words);
  if (!values) return Error(values.error());
  requirement.values.assign(values->begin(), values->end());
  if (std::string faults = faults_of(requirement); !faults.empty()) return Error(std::move(faults));
  return requirement;
}

}  // namespace

tl::expected<std::vector<Requirement>, std::string> parse_label_requirements(std::string_view text) {
  std::vector<Requirement> requirements;
  Words words(text);
  while (!words.is(Token::end)) {
    if (!words.is(Token::name) && !words.is(Token::no)) {
      return found(words.next().text, ", expected: !, identifier, or 'end of string'");
    }
    auto requirement = take_requirement(words);
    if (!requirement) return Error("unable to parse requirement: " + requirement.error());
    requirements.push_back(std::move(*requirement));
    const Word behind = words.take();
    if (behind.token == Token::end) break;
    if (behind.token != Token::comma) return found(behind.text, ", expected: ',' or 'end of string'");
    if (!words.is(Token::name) && !words.is(Token::no)) {
      return found(words.next().text, ", expected: identifier after ','");
    }
  }
  return requirements;
}

}  // namespace usbloop::apiserver
