#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The golden files: requests and what the server answers, to be read by a person and by a test. CONTRIBUTING.md says
// how they are written.
namespace usbloop::apiserver::golden {

/// One step of a scenario.
struct Step {
  std::string preamble;  ///< comments and empty lines before it, kept as they are
  std::string title;
  std::string method;  ///< "NODE": no request, but what the node answers from now on
  std::string target;  ///< of NODE: the status, as "503 Service Unavailable"
  std::string user;    ///< "admin", "node", "nobody" or "stranger"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string request_text;  ///< the lines as they stand in the file
  bool recorded = false;     ///< has "--": its answer stands in the file. Else it has to succeed
};

/// Throws std::runtime_error with the line that cannot be read.
std::vector<Step> parse_scenario(const std::string& text);

/// An answer as it came.
struct Answer {
  std::string status_line;  ///< "HTTP/1.1 404 Not Found"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  [[nodiscard]] int code() const;
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// The answer as it stands in the file: the headers that matter, the body byte for byte, and placeholders for what
/// differs each time. `known`: texts and their placeholders.
std::string recorded_text(const Answer& answer, const std::vector<std::pair<std::string, std::string>>& known);

/// The whole file with these answers (of the recorded steps, in order).
std::string scenario_text(const std::vector<Step>& steps, const std::vector<std::string>& answers);

}  // namespace usbloop::apiserver::golden
