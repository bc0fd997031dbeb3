#include "kube-sim/schema/schema_text.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace usbloop::apiserver::schema_text {
namespace {

std::optional<std::int64_t> bound_of(const std::string& digits) {
  if (digits.empty()) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (fault != std::errc() || end != digits.data() + digits.size()) mistake("no bound: " + digits);
  return number;
}

}  // namespace

std::vector<Line> lines_of(std::string_view text) {
  constexpr std::size_t kDeepestField = 2;
  std::vector<Line> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos || line[indent] == '#') continue;
    const std::string content(line.substr(indent));
    if (indent > kDeepestField && !lines.empty()) {
      lines.back().text += " " + content;
    } else {
      lines.push_back({content, indent});
    }
  }
  return lines;
}

std::string take_word(std::string& text) {
  const std::string word = text.substr(0, text.find(' '));
  const std::size_t next = text.find_first_not_of(' ', word.size());
  text = next == std::string::npos ? std::string() : text.substr(next);
  return word;
}

bool take_prefix(std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.erase(0, prefix.size());
  return true;
}

void mistake(const std::string& what) { throw std::logic_error("resources/schemas: " + what); }

std::uint32_t take_number(std::string& word, bool* starred) {
  const std::size_t at = word.find('#');
  if (at == std::string::npos) return 0;
  std::string digits = word.substr(at + 1);
  word.erase(at);
  const bool has_star = digits.ends_with('*');
  if (has_star) digits.pop_back();
  if (starred != nullptr) *starred = has_star;
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  constexpr std::uint32_t kMostInProtobuf = (1U << 29U) - 1;
  if (fault != std::errc() || end != digits.data() + digits.size() || number == 0 || number > kMostInProtobuf)
    mistake("no number of a field: #" + digits);
  return number;
}

std::optional<Bounds> take_bounds(std::string& type) {
  const std::size_t at = type.find('{');
  if (at == std::string::npos || !type.ends_with('}')) return std::nullopt;
  const std::string bounds = type.substr(at + 1, type.size() - at - 2);
  type.erase(at);
  const std::size_t dots = bounds.find("..");
  if (dots == std::string::npos) mistake("no bounds: " + bounds);
  return Bounds{bound_of(bounds.substr(0, dots)), bound_of(bounds.substr(dots + 2))};
}

SchemaRule rule_of(const std::string& rule, const std::string& message) {
  using Form = SchemaRule::Form;
  if (rule == "self == true") return {Form::is_true, "", rule, message};
  std::string text = rule;
  const Form form = take_prefix(text, "self.startsWith('")  ? Form::begins_with
                    : take_prefix(text, "!self.contains('") ? Form::lacks
                                                            : Form::is_true;
  if (form == Form::is_true || !text.ends_with("')") || message.empty()) mistake("no rule that is known: " + rule);
  return {form, text.substr(0, text.size() - 2), rule, message};
}

}  // namespace usbloop::apiserver::schema_text
