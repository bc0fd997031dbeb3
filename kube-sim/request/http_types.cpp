#include "kube-sim/request/http_types.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace usbloop::apiserver {
namespace {

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      unsigned value = 0;
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (error != std::errc() || end != text.data() + i + 3 || value == 0) return std::nullopt;
      decoded += static_cast<char>(value);
      i += 2;
    }
  }
  return decoded;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

bool parse_query(std::string_view text, std::multimap<std::string, std::string>& query) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    query.emplace(std::move(*name), std::move(*value));
  }
  return true;
}

}  // namespace

bool User::in_group(const std::string& group) const {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::string Request::parameter(const std::string& name) const {
  const auto found = query.lower_bound(name);
  return found == query.end() || found->first != name ? std::string() : found->second;
}

bool Request::flag(const std::string& name) const {
  if (query.count(name) == 0) return false;
  const std::string value = parameter(name);
  return value != "false" && value != "0";
}

std::optional<Target> parse_target(const std::string& target) {
  if (target.empty() || target.front() != '/') return std::nullopt;
  // RFC 9112 allows no such bytes in a target; a NUL would end the path for a reader of C strings.
  const auto is_control = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (std::any_of(target.begin(), target.end(), is_control)) return std::nullopt;
  const auto question = target.find('?');
  auto path = percent_decode(std::string_view(target).substr(0, question), false);
  if (!path || has_dot_segment(*path)) return std::nullopt;
  Target parsed;
  parsed.path = std::move(*path);
  if (question != std::string::npos && !parse_query(std::string_view(target).substr(question + 1), parsed.query)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace usbloop::apiserver
