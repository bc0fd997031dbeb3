#include <algorithm>
#include <charconv>
#include <string>

#include "kube-sim/schema/linear_regex.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kMostSteps = 5000;
constexpr int kDeepestGroup = 100;
constexpr std::size_t kMostRepeats = 1000;  // as RE2

}  // namespace

/// Thompson's construction, by recursive descent. A part of the program may be appended again: its jumps are relative
/// to its begin until it stands in place.
class LinearRegex::Compiler {
 public:
  explicit Compiler(std::string_view pattern) : rest_(pattern) {}

  std::optional<std::vector<Step>> program() {
    auto made = alternatives(0);
    if (!made || !rest_.empty()) return std::nullopt;
    made->push_back({});
    return made;
  }

 private:
  using Part = std::vector<Step>;

  static void append(Part& to, const Part& part) {
    const std::size_t base = to.size();
    for (Step step : part) {
      step.next += base;
      step.other += base;
      to.push_back(step);
    }
  }
  static Step split(std::size_t next, std::size_t other) { return {Step::Kind::split, next, other, {}}; }
  static Step jump(std::size_t next) { return {Step::Kind::jump, next, 0, {}}; }

  std::optional<Part> alternatives(int depth) {
    if (depth > kDeepestGroup) return std::nullopt;
    auto left = sequence(depth);
    while (left && rest_.starts_with('|')) {
      rest_.remove_prefix(1);
      const auto right = sequence(depth);
      if (!right || left->size() + right->size() > kMostSteps) return std::nullopt;
      Part both = {split(1, left->size() + 2)};
      append(both, *left);
      both.push_back(jump(both.size() + 1 + right->size()));
      append(both, *right);
      left = std::move(both);
    }
    return left;
  }

  std::optional<Part> sequence(int depth) {
    Part made;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      auto part = atom(depth);
      if (part) part = repeated(std::move(*part));
      if (!part) return std::nullopt;
      append(made, *part);
      if (made.size() > kMostSteps) return std::nullopt;
    }
    return made;
  }

  std::optional<Part> repeated(Part part) {
    while (!rest_.empty()) {
      const char c = rest_.front();
      std::size_t least = 0;
      std::size_t most = 0;
      bool endless = true;
      if (c == '*' || c == '+' || c == '?') {
        rest_.remove_prefix(1);
        least = c == '+' ? 1 : 0;
        endless = c != '?';
        most = endless ? 0 : 1;
      } else if (c == '{' && is_count()) {
        if (!read_count(least, most, endless)) return std::nullopt;
      } else {
        break;
      }
      if (rest_.starts_with('?')) rest_.remove_prefix(1);  // lazy: finds the same
      auto made = times(part, least, most, endless);
      if (!made) return std::nullopt;
      part = std::move(*made);
    }
    return part;
  }

  static std::optional<Part> times(const Part& part, std::size_t least, std::size_t most, bool endless) {
    const std::size_t count = endless ? least + 1 : most;
    if (count * (part.size() + 2) > kMostSteps) return std::nullopt;
    Part made;
    for (std::size_t i = 0; i < least; ++i) append(made, part);
    if (endless) {
      append(made, {split(1, part.size() + 2)});
      const std::size_t loop = made.size() - 1;
      append(made, part);
      made.push_back(jump(loop));
    } else {
      for (std::size_t i = least; i < most; ++i) {
        append(made, {split(1, 1 + part.size())});
        append(made, part);
      }
    }
    return made;
  }

  /// Another '{' stands for itself.
  [[nodiscard]] bool is_count() const {
    const auto end = rest_.find('}');
    if (end == std::string_view::npos || end < 2) return false;
    return rest_.substr(1, end - 1).find_first_not_of("0123456789,") == std::string_view::npos && rest_[1] != ',';
  }

  bool read_count(std::size_t& least, std::size_t& most, bool& endless) {
    const auto end = rest_.find('}');
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    const auto comma = text.find(',');
    const auto number = [](std::string_view digits, std::size_t& value) {
      const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      return error == std::errc() && stop == digits.data() + digits.size() && value <= kMostRepeats;
    };
    if (!number(text.substr(0, comma), least)) return false;
    endless = comma != std::string_view::npos && comma + 1 == text.size();
    most = least;
    if (comma != std::string_view::npos && !endless && !number(text.substr(comma + 1), most)) return false;
    return endless || most >= least;
  }

  std::optional<Part> atom(int depth) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case '(': return group(depth);
      case '[': return char_class();
      case '^': return Part{{Step::Kind::begin, 0, 0, {}}};
      case '$': return Part{{Step::Kind::end, 0, 0, {}}};
      case '.': return of(Bytes().set().reset('\n'));
      case '*':
      case '+':
      case '?': return std::nullopt;
      case '\\': {
        const auto bytes = escaped();
        return bytes ? std::optional(of(*bytes)) : std::nullopt;
      }
      default: return of(only(c));
    }
  }

  std::optional<Part> group(int depth) {
    if (rest_.starts_with('?')) {
      if (rest_.starts_with("?:")) {
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("?P<") ||
                 (rest_.starts_with("?<") && !rest_.starts_with("?<=") && !rest_.starts_with("?<!"))) {
        const auto end = rest_.find('>');
        if (end == std::string_view::npos) return std::nullopt;
        rest_.remove_prefix(end + 1);
      } else {
        return std::nullopt;  // flags and lookarounds
      }
    }
    auto inner = alternatives(depth + 1);
    if (!inner || !rest_.starts_with(')')) return std::nullopt;
    rest_.remove_prefix(1);
    return inner;
  }

  /// What stands behind a backslash.
  std::optional<Bytes> escaped() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case 'd': return range('0', '9');
      case 'D': return ~range('0', '9');
      case 'w': return word();
      case 'W': return ~word();
      case 's': return space();
      case 'S': return ~space();
      case 'n': return only('\n');
      case 'r': return only('\r');
      case 't': return only('\t');
      case 'f': return only('\f');
      case 'v': return only('\v');
      default: break;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter ? std::nullopt : std::optional(only(c));
  }

  std::optional<Part> char_class() {
    Bytes bytes;
    const bool inverse = rest_.starts_with('^');
    if (inverse) rest_.remove_prefix(1);
    for (bool first = true; first || !rest_.starts_with(']'); first = false) {
      if (rest_.empty()) return std::nullopt;
      auto low = class_member();
      if (!low) return std::nullopt;
      const bool is_range = low->count() == 1 && rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']';
      if (is_range) {
        rest_.remove_prefix(1);
        const auto high = class_member();
        if (!high || high->count() != 1 || byte_of(*high) < byte_of(*low)) return std::nullopt;
        bytes |= range(static_cast<char>(byte_of(*low)), static_cast<char>(byte_of(*high)));
      } else {
        bytes |= *low;
      }
    }
    rest_.remove_prefix(1);
    return of(inverse ? ~bytes : bytes);
  }

  std::optional<Bytes> class_member() {
    if (rest_.empty() || rest_.starts_with("[:")) return named_class();
    const char c = rest_.front();
    if (!is_ascii(c)) return std::nullopt;
    rest_.remove_prefix(1);
    if (c != '\\') return only(c);
    return rest_.empty() || !is_ascii(rest_.front()) ? std::nullopt : escaped();
  }

  std::optional<Bytes> named_class() {
    struct Named {
      std::string_view name;
      Bytes bytes;
    };
    const Bytes alpha = range('a', 'z') | range('A', 'Z');
    for (const Named& known :
         {Named{"[:alpha:]", alpha}, Named{"[:digit:]", range('0', '9')}, Named{"[:alnum:]", alpha | range('0', '9')},
          Named{"[:lower:]", range('a', 'z')}, Named{"[:upper:]", range('A', 'Z')}, Named{"[:space:]", space()}}) {
      if (!rest_.starts_with(known.name)) continue;
      rest_.remove_prefix(known.name.size());
      return known.bytes;
    }
    return std::nullopt;
  }

  static bool is_ascii(char c) { return (static_cast<unsigned char>(c) & 0x80U) == 0; }
  static std::size_t byte_of(const Bytes& bytes) { return bytes._Find_first(); }
  static Bytes only(char c) { return Bytes().set(static_cast<unsigned char>(c)); }
  static Bytes range(char low, char high) {
    Bytes bytes;
    for (auto c = static_cast<unsigned char>(low); c <= static_cast<unsigned char>(high); ++c) bytes.set(c);
    return bytes;
  }
  static Bytes word() { return range('a', 'z') | range('A', 'Z') | range('0', '9') | only('_'); }
  static Bytes space() { return only(' ') | only('\t') | only('\n') | only('\r') | only('\f'); }
  static Part of(const Bytes& bytes) { return {{Step::Kind::bytes, 0, 0, bytes}}; }

  std::string_view rest_;
};

std::optional<LinearRegex> LinearRegex::compile(std::string_view pattern) {
  auto program = Compiler(pattern).program();
  if (!program || program->size() > kMostSteps) return std::nullopt;
  LinearRegex regex;
  regex.steps_ = std::move(*program);
  return regex;
}

}  // namespace usbloop::apiserver
