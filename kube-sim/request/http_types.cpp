#include "kube-sim/request/http_types.h"

#include <algorithm>
#include <string_view>

#include "common/percent_text.h"

namespace usbloop::apiserver {
namespace {

/// A NUL would end the text for a reader of C strings.
std::optional<std::string> decoded(std::string_view text, Plus plus) {
  auto bytes = percent_decoded(text, plus);
  if (bytes && bytes->find('\0') != std::string::npos) return std::nullopt;
  return bytes;
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
    auto name = decoded(pair.substr(0, equals), Plus::blank);
    auto value = decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), Plus::blank);
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
  // RFC 9112 allows no such bytes in a target.
  const auto is_control = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (std::any_of(target.begin(), target.end(), is_control)) return std::nullopt;
  const auto question = target.find('?');
  auto path = decoded(std::string_view(target).substr(0, question), Plus::itself);
  if (!path || has_dot_segment(*path)) return std::nullopt;
  Target parsed;
  parsed.path = std::move(*path);
  if (question != std::string::npos && !parse_query(std::string_view(target).substr(question + 1), parsed.query)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace usbloop::apiserver
