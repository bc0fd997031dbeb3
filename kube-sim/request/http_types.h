#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace usbloop::apiserver {

/// Who asks. Filled in by the authenticator; the groups include system:authenticated or system:unauthenticated.
struct User {
  std::string name;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra = {};  ///< anything else, passed on to those who ask who it is

  [[nodiscard]] bool in_group(const std::string& group) const;
};

/// One request as the API's logic sees it, free of sockets.
struct Request {
  std::string method;
  std::string path;  ///< percent-decoded, without the query
  std::multimap<std::string, std::string> query;
  std::string content_type;
  std::string accept;
  std::string body;
  User user;
  std::string if_none_match = {};
  std::string user_agent = {};

  /// First value of the parameter, or empty.
  [[nodiscard]] std::string parameter(const std::string& name) const;
  /// Whether the parameter is given and is not "false" or "0", as Kubernetes reads booleans.
  [[nodiscard]] bool flag(const std::string& name) const;
};

struct Response {
  int code = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Path and query of a request target, decoded. Nothing for a target that is not an absolute path, has a broken percent
/// escape, a NUL, a raw control character, or "." or ".." as a segment.
struct Target {
  std::string path;
  std::multimap<std::string, std::string> query;
};
std::optional<Target> parse_target(const std::string& target);

}  // namespace usbloop::apiserver
