#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/http/head.h"
#include "kube-sim/schema/linear_regex.h"

namespace usbloop::apiserver {

/// Which web pages may read the server's answers, by their origin: kube-apiserver's --cors-allowed-origins. It gives
/// nobody a right: who sends a request and whether he may is decided as for every other one. Immutable, thread-safe.
class Cors {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  /// No page of another origin.
  Cors() = default;
  /// `patterns`: regular expressions, of which one has to find something in the origin. The error: one is none that
  /// LinearRegex knows, is empty, or is not pinned to the start and the end of the origin's host.
  static Result<Cors> make(const std::vector<std::string>& patterns);

  /// What goes with every answer to the request, sorted by name; empty when its origin is not allowed, or it has none.
  [[nodiscard]] Headers headers_for(const http::Head& request) const;

 private:
  std::vector<LinearRegex> patterns_;
};

/// "a,b" as two patterns, as kube-apiserver reads a list of them. Of an empty text none.
std::vector<std::string> split_cors_patterns(const std::string& list);

}  // namespace usbloop::apiserver
