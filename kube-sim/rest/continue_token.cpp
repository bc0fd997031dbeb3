#include "kube-sim/rest/continue_token.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/kube/encoding.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kForm = "meta.k8s.io/v1";
/// A namespace and a name of the greatest length, the fields around them, and base64's third.
constexpr std::size_t kMostTokenBytes = 2048;

std::string to_url_form(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::optional<std::string> from_url_form(std::string text) {
  const auto foreign = [](char c) { return c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n'; };
  if (std::any_of(text.begin(), text.end(), foreign)) return std::nullopt;
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return kube::base64_decode(text);
}

bool is_segment(const std::string& text) {
  return !text.empty() && text != "." && text != ".." && text.find('/') == std::string::npos;
}

/// "name" or "namespace/name"; tokens of kube-apiserver end in a NUL, which sorts behind the name itself.
std::optional<Position> read_start(const std::string& start, bool all_namespaces, const std::string& namespace_) {
  if (!all_namespaces) return is_segment(start) ? std::optional(Position(namespace_, start)) : std::nullopt;
  const auto slash = start.find('/');
  if (slash == std::string::npos) return std::nullopt;
  Position position(start.substr(0, slash), start.substr(slash + 1));
  if (!is_segment(position.first) || !is_segment(position.second)) return std::nullopt;
  return position;
}

std::optional<std::int64_t> read_version(const json& number) {
  if (number.is_number_unsigned()) {
    const auto version = number.get<std::uint64_t>();
    if (version == 0 || version > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return static_cast<std::int64_t>(version);
  }
  return number == -1 ? std::optional<std::int64_t>(-1) : std::nullopt;
}

}  // namespace

std::string encode(const ContinueToken& token, bool all_namespaces) {
  json tree = {{"v", kForm}, {"rv", token.version}};
  tree["start"] = all_namespaces ? token.next.first + "/" + token.next.second : token.next.second;
  if (token.rest) tree["rest"] = *token.rest;
  return to_url_form(kube::base64_encode(tree.dump()));
}

tl::expected<ContinueToken, std::string> decode_continue(const std::string& text, bool all_namespaces,
                                                         const std::string& namespace_) {
  const std::string not_valid = "invalid continue token: continue key is not valid";
  if (text.size() > kMostTokenBytes) return tl::unexpected(not_valid);
  const auto bytes = from_url_form(text);
  if (!bytes) return tl::unexpected(not_valid + ": illegal base64 data");
  const json tree = json::parse(*bytes, nullptr, false);
  if (!tree.is_object()) return tl::unexpected(not_valid);
  const auto form = tree.find("v");
  if (form == tree.end() || *form != kForm) {
    return tl::unexpected(not_valid + ": server does not recognize this encoded version");
  }
  const auto version = tree.find("rv");
  const auto number = version == tree.end() ? std::nullopt : read_version(*version);
  if (!number) {
    return tl::unexpected(not_valid + ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  const auto start = tree.find("start");
  if (start == tree.end() || !start->is_string() || start->get<std::string>().empty()) {
    return tl::unexpected(not_valid + ": encoded start key empty (version meta.k8s.io/v1)");
  }
  const auto position = read_start(start->get<std::string>(), all_namespaces, namespace_);
  if (!position) return tl::unexpected(not_valid + ": " + start->get<std::string>());
  ContinueToken token{*number, *position, {}};
  if (const auto rest = tree.find("rest"); rest != tree.end() && rest->is_number_unsigned()) {
    token.rest = rest->get<std::uint64_t>();
  }
  return token;
}

}  // namespace usbloop::apiserver
