#include "apiserver-sim/golden/scenario.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "common/ascii_text.h"

namespace usbloop::apiserver::golden {
namespace {

constexpr std::array<std::string_view, 8> kHeadersThatMatter = {
    "Content-Type",          "Warning",          "Retry-After",        "Allow", "Location",
    "Sec-WebSocket-Version", "WWW-Authenticate", "Content-Disposition"};
constexpr const char* kNoNewline = "\\ no newline at the end\n";

void read_request_line(const std::string& line, Step& step) {
  std::istringstream words(line);
  words >> step.method;
  if (step.method == "NODE") {
    step.target = line.size() > 5 ? line.substr(5) : "";
    return;
  }
  std::string as;
  words >> step.target >> as >> step.user;
  if (step.target.empty()) throw std::runtime_error("no request line: " + line);
  if (as != "as") step.user = "admin";
}

/// Lines up to "--" or the next step: the request.
void read_request(const std::vector<std::string>& lines, std::size_t& at, Step& step) {
  bool in_body = false;
  for (bool first = true; at < lines.size() && !lines[at].starts_with("== "); ++at) {
    const std::string& line = lines[at];
    if (line == "--") {
      step.recorded = true;
      ++at;
      break;
    }
    step.request_text += line + "\n";
    if (first) {
      read_request_line(line, step);
    } else if (in_body) {
      step.body += line + "\n";
    } else if (line.empty()) {
      in_body = true;
    } else {
      const auto colon = line.find(": ");
      if (colon == std::string::npos) throw std::runtime_error("no header: " + line);
      step.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    first = false;
  }
  // The empty line before the next step is no part of a body.
  if (!step.recorded && step.body.ends_with("\n\n")) step.body.pop_back();
  while (!step.body.empty() && step.body.back() == '\n') step.body.pop_back();
  while (step.request_text.ends_with("\n\n")) step.request_text.pop_back();
}

std::string with_placeholders(std::string text, const std::vector<std::pair<std::string, std::string>>& known) {
  for (const auto& [value, placeholder] : known) {
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + placeholder.size())) {
      text.replace(at, value.size(), placeholder);
    }
  }
  static const std::array<std::pair<std::regex, const char*>, 5> kChanging = {{
      {std::regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "${uid}"},
      {std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z"), "${time}"},
      {std::regex("\"resourceVersion\": ?\"[0-9]+\""), "\"resourceVersion\":\"${version}\""},
      {std::regex("\"continue\": ?\"[^\"]+\""), "\"continue\":\"${continue}\""},
      {std::regex("\"[0-9]+[smhd]([0-9]+[smh])?\""), "\"${age}\""},
  }};
  for (const auto& [pattern, placeholder] : kChanging) text = std::regex_replace(text, pattern, placeholder);
  return text;
}

}  // namespace

std::vector<Step> parse_scenario(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::vector<Step> steps;
  std::string preamble;
  for (std::size_t at = 0; at < lines.size();) {
    if (!lines[at].starts_with("== ")) {
      // Only comments may stand between an answer and the next step; the rest is the recorded answer.
      if (steps.empty() || lines[at].starts_with("#")) preamble += lines[at] + "\n";
      ++at;
      continue;
    }
    Step step;
    step.preamble = std::move(preamble);
    preamble.clear();
    step.title = lines[at++].substr(3);
    read_request(lines, at, step);
    if (step.method.empty()) throw std::runtime_error("a step without a request: " + step.title);
    steps.push_back(std::move(step));
  }
  return steps;
}

int Answer::code() const {
  int value = 0;
  const auto space = status_line.find(' ');
  if (space != std::string::npos) {
    std::from_chars(status_line.data() + space + 1, status_line.data() + status_line.size(), value);
  }
  return value;
}

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return {};
}

std::string recorded_text(const Answer& answer, const std::vector<std::pair<std::string, std::string>>& known) {
  std::string text = answer.status_line + "\n";
  for (const auto& [name, value] : answer.headers) {
    const bool matters = std::any_of(kHeadersThatMatter.begin(), kHeadersThatMatter.end(),
                                     [&key = name](std::string_view one) { return equal_ignoring_case(one, key); });
    if (matters) text.append(name).append(": ").append(value).append("\n");
  }
  if (!answer.body.empty()) text.append("\n").append(answer.body);
  if (text.back() != '\n') text.append("\n").append(kNoNewline);
  return with_placeholders(std::move(text), known);
}

std::string scenario_text(const std::vector<Step>& steps, const std::vector<std::string>& answers) {
  std::string text;
  std::size_t next = 0;
  for (const Step& step : steps) {
    if (!text.empty()) text += "\n";
    text += step.preamble + "== " + step.title + "\n" + step.request_text;
    if (step.recorded) text += "--\n" + answers.at(next++);
  }
  return text;
}

}  // namespace usbloop::apiserver::golden
