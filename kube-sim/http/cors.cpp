#include "kube-sim/http/cors.h"

#include <algorithm>
#include <string_view>

namespace usbloop::apiserver {
namespace {

/// A longer one is no page's: a scheme, a host name of at most 253 bytes and a port.
constexpr std::size_t kLongestOrigin = 1024;

/// Whether a mark of the list stands somewhere in the pattern: kube-apiserver looks for no more.
bool contains_one_of(std::string_view pattern, std::string_view first, std::string_view second) {
  return pattern.find(first) != pattern.npos || pattern.find(second) != pattern.npos;
}

Result<LinearRegex> compile_origin(const std::string& pattern) {
  const auto refuse = [&](const char* cause) {
    return make_error(ErrorKind::invalid, "use", "the allowed origin \"" + pattern + "\"", cause,
                      "An example: '^https://example\\.com(:|$)'");
  };
  if (pattern.empty()) return refuse("it is empty");
  auto regex = LinearRegex::compile(pattern);
  if (!regex) return refuse("it is no regular expression of the server's");
  if (!contains_one_of(pattern, "^", "//") || !contains_one_of(pattern, "$", ":")) {
    return refuse("it does not pin to start and end of the host in the Origin header ('^' or '//', '$' or ':')");
  }
  return std::move(*regex);
}

}  // namespace

Result<Cors> Cors::make(const std::vector<std::string>& patterns) {
  Cors cors;
  for (const std::string& pattern : patterns) {
    auto regex = compile_origin(pattern);
    if (!regex) return tl::unexpected(regex.error());
    cors.patterns_.push_back(std::move(*regex));
  }
  return cors;
}

Cors::Headers Cors::headers_for(const http::Head& request) const {
  if (patterns_.empty()) return {};
  const std::string origin = request.header("Origin");
  if (origin.empty() || origin.size() > kLongestOrigin) return {};
  const auto finds = [&](const LinearRegex& pattern) { return pattern.finds(origin); };
  if (std::none_of(patterns_.begin(), patterns_.end(), finds)) return {};
  return {{"Access-Control-Allow-Credentials", "true"},
          {"Access-Control-Allow-Headers",
           "Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, "
           "If-Modified-Since"},
          {"Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE, PATCH"},
          {"Access-Control-Allow-Origin", origin},
          {"Access-Control-Expose-Headers", "Date"}};
}

std::vector<std::string> split_cors_patterns(const std::string& list) {
  std::vector<std::string> patterns;
  if (list.empty()) return patterns;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    patterns.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return patterns;
}

}  // namespace usbloop::apiserver
