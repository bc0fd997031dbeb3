#include "kube-sim/schema/json_parts.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kBroken = std::string_view::npos;

/// Whether the quote at `at` of a string is a part of it: an odd number of backslashes stands before it.
bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t first = at;
  while (text[first - 1] == '\\') --first;  // a string's first quote ends this at the latest
  return (at - first) % 2 == 1;
}

/// Where the string that begins at `at` has ended. Looks for quotes alone: the library does that in words.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  do {
    at = text.find('"', at + 1);
    if (at == kBroken) return kBroken;
  } while (is_escaped(text, at));
  return at + 1;
}

/// Where the object or array that begins at `at` has ended.
std::size_t end_of_structure(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;  // beyond the end of the text when it is broken
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return kBroken;
}

std::size_t end_of_value(std::string_view text, std::size_t at) {
  if (at >= text.size()) return kBroken;
  if (text[at] == '"') return end_of_string(text, at);
  if (text[at] == '{' || text[at] == '[') return end_of_structure(text, at);
  const auto end = text.find_first_not_of("0123456789+-.eEtrufalsn", at);  // a number, true, false, null
  return end == at ? kBroken : end;
}

}  // namespace

JsonParts::JsonParts(std::string_view text) : text_(text) {
  if (text.starts_with('{')) close_ = '}';
  if (text.starts_with('[')) close_ = ']';
  if (text == "{}" || text == "[]") {
    close_ = '\0';
    whole_ = true;
  }
}

bool JsonParts::next(JsonPart& part) {
  if (close_ == '\0') return false;
  const char close = close_;
  close_ = '\0';  // until all is right
  std::size_t value = at_ + 1;
  part.name = {};
  if (close == '}') {
    const std::size_t name = value;
    if (name >= text_.size() || text_[name] != '"') return false;
    const std::size_t colon = end_of_string(text_, name);
    if (colon >= text_.size() || text_[colon] != ':') return false;
    part.name = text_.substr(name + 1, colon - name - 2);
    value = colon + 1;
  }
  const std::size_t end = end_of_value(text_, value);
  if (end >= text_.size()) return false;
  part.value = text_.substr(value, end - value);
  at_ = end;
  if (text_[end] == ',') {
    close_ = close;
    return true;
  }
  whole_ = text_[end] == close && end + 1 == text_.size();
  return whole_;
}

}  // namespace usbloop::apiserver
