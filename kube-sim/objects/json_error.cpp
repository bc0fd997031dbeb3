#include "kube-sim/objects/json_error.h"

#include <cstddef>
#include <vector>

namespace usbloop::apiserver {
namespace {

constexpr const char* kNoValue = "looking for beginning of value";

bool is_digit_byte(char c) { return c >= '0' && c <= '9'; }
bool is_hex_byte(char c) { return is_digit_byte(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_blank_byte(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// A byte as Go shows a character.
std::string shown(char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  if (c == '\\') return "'\\\\'";
  if (c >= ' ' && c != '\x7f' && static_cast<unsigned char>(c) < 0x80) return std::string("'") + c + "'";
  constexpr std::string_view kNamed = "\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "abfnrtv";
  if (const auto at = kNamed.find(c); at != kNamed.npos) return std::string("'\\") + kLetters[at] + "'";
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  // A byte is taken for the character of that number; those of Latin-1 can be printed.
  if (byte > 0xa0 && byte != 0xad)
    return {'\'', static_cast<char>(0xc0 | byte >> 6U), static_cast<char>(0x80 | (byte & 0x3fU)), '\''};
  return std::string(byte < 0x80 ? "'\\x" : "'\\u00") + kDigits[byte >> 4U] + kDigits[byte & 15U] + "'";
}

/// Follows a text to its first fault.
class SyntaxCheck {
 public:
  explicit SyntaxCheck(std::string_view text) : text_(text) {}

  std::string run() {
    bool ok = value();
    while (ok && !open_.empty()) ok = open_.back() == '{' ? after_pair() : after_element();
    skip_blanks();
    if (ok && at_ < text_.size()) fail("after top-level value");
    return error_;
  }

 private:
  bool fail(const std::string& where) {
    error_ =
        at_ < text_.size() ? "invalid character " + shown(text_[at_]) + " " + where : "unexpected end of JSON input";
    return false;
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank_byte(text_[at_])) ++at_;
  }
  [[nodiscard]] bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!at(c)) return false;
    ++at_;
    return true;
  }

  /// A value that has no end of its own yet when it is an object or a list: that is on the stack then.
  bool value() {
    while (true) {
      skip_blanks();
      if (at_ == text_.size()) return fail(kNoValue);
      switch (text_[at_]) {
        case '{':
          ++at_;
          open_ += '{';
          skip_blanks();
          if (at('}')) return true;
          if (!key()) return false;
          continue;
        case '[':
          ++at_;
          open_ += '[';
          skip_blanks();
          if (at(']')) return true;
          continue;
        case '"': return string();
        case 't': return literal("true");
        case 'f': return literal("false");
        case 'n': return literal("null");
        default: return number();
      }
    }
  }

  bool key() {
    skip_blanks();
    if (!at('"')) return fail("looking for beginning of object key string");
    if (!string()) return false;
    skip_blanks();
    return take(':') || fail("after object key");
  }

  bool after_pair() {
    skip_blanks();
    if (take('}')) return close();
    if (!take(',')) return fail("after object key:value pair");
    return key() && value();
  }

  bool after_element() {
    skip_blanks();
    if (take(']')) return close();
    return take(',') ? value() : fail("after array element");
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool string() {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < ' ') return fail("in string literal");
      if (c == '\\' && !escape()) return false;
    }
    return fail("in string literal");
  }

  /// Ends at the last byte of the escape.
  bool escape() {
    ++at_;
    constexpr std::string_view kSimple = "\"\\/bfnrt";
    if (at_ == text_.size()) return fail("in string escape code");
    if (kSimple.find(text_[at_]) != kSimple.npos) return true;
    if (text_[at_] != 'u') return fail("in string escape code");
    for (int i = 0; i < 4; ++i) {
      ++at_;
      if (at_ == text_.size() || !is_hex_byte(text_[at_])) return fail("in \\u hexadecimal character escape");
    }
    return true;
  }

  bool literal(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      ++at_;
      if (!at(word[i])) return fail("in literal " + std::string(word) + " (expecting " + shown(word[i]) + ")");
    }
    ++at_;
    return true;
  }

  bool digits(const char* where) {
    if (at_ == text_.size() || !is_digit_byte(text_[at_])) return fail(where);
    while (at_ < text_.size() && is_digit_byte(text_[at_])) ++at_;
    return true;
  }

  bool number() {
    const bool negative = take('-');
    if (!take('0') && !digits(negative ? "in numeric literal" : kNoValue)) return false;
    if (take('.') && !digits("after decimal point in numeric literal")) return false;
    if (!at('e') && !at('E')) return true;
    ++at_;
    if (at('+') || at('-')) ++at_;
    return digits("in exponent of numeric literal");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  ///< the objects and lists around, outermost first
  std::string error_;
};

}  // namespace

std::string json_syntax_error(std::string_view text) { return SyntaxCheck(text).run(); }

}  // namespace usbloop::apiserver
