#include "kube-sim/schema/json_members.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kBroken = std::string_view::npos;

/// Where the string that begins at `at` has ended.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return kBroken;
}

/// Where the object or array that begins at `at` has ended.
std::size_t end_of_structure(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      if (at == kBroken) return kBroken;
      continue;
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

std::optional<std::vector<JsonMember>> json_members(std::string_view text) {
  if (!text.starts_with('{') || !text.ends_with('}')) return std::nullopt;
  std::vector<JsonMember> members;
  if (text == "{}") return members;
  members.reserve(8);
  std::size_t at = 0;
  while (at + 1 < text.size()) {  // at the '{' or a ','
    const std::size_t name = at + 1;
    if (text[name] != '"') return std::nullopt;
    const std::size_t colon = end_of_string(text, name);
    if (colon == kBroken || colon >= text.size() || text[colon] != ':') return std::nullopt;
    const std::size_t end = end_of_value(text, colon + 1);
    if (end == kBroken || end >= text.size()) return std::nullopt;
    members.emplace_back(text.substr(name + 1, colon - name - 2), text.substr(colon + 1, end - colon - 1));
    if (text[end] == '}' && end + 1 == text.size()) return members;
    if (text[end] != ',') return std::nullopt;
    at = end;
  }
  return std::nullopt;
}

}  // namespace usbloop::apiserver
