#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace usbloop::http {

/// Largest head of a request or an answer that is read, in bytes.
inline constexpr std::size_t kMaxHeadBytes = 16'000;

/// The head of one HTTP/1.x message (head_grammar.h). Names of fields are matched without regard to case.
class Head {
 public:
  std::string method;       ///< requests
  std::string target;       ///< requests: path and query
  int status = 0;           ///< answers
  std::string status_text;  ///< answers
  std::vector<std::pair<std::string, std::string>> headers;

  /// First value of the header, trimmed; empty when absent.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
  /// How many lines the header has.
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// Whether a comma-separated header contains the token (case-insensitive), as Connection and Upgrade need.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
};

/// Length of the head at the start of `bytes` including its empty line, or nothing when it is not complete yet.
std::optional<std::size_t> head_length(std::string_view bytes);

}  // namespace usbloop::http
