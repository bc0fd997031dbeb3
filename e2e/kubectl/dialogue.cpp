#include "e2e/kubectl/dialogue.h"

#include <fstream>
#include <sstream>
#include <string_view>

#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

constexpr std::string_view kAnyLines = "...";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// With one space for each run of spaces and tabs, and none at the end.
std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t';
    if (!space || result.empty() || result.back() != ' ') result += space ? ' ' : c;
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

/// "*" in the pattern stands for any text. Goes back to the last star only, so that it is quick on any text.
bool line_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool lines_match(const ExpectedLines& expected, std::size_t at, const std::vector<std::string>& lines,
                 std::size_t line) {
  if (at == expected.size()) return line == lines.size();
  if (expected[at] == kAnyLines) {
    for (std::size_t next = line; next <= lines.size(); ++next) {
      if (lines_match(expected, at + 1, lines, next)) return true;
    }
    return false;
  }
  return line < lines.size() && line_matches(squeezed(expected[at]), squeezed(lines[line])) &&
         lines_match(expected, at + 1, lines, line + 1);
}

/// Takes "{>=1.30}" or "{<1.27}" off the front; whether it holds.
bool take_condition(std::string& line, int minor) {
  bool holds = true;
  while (line.starts_with("{>=1.") || line.starts_with("{<1.")) {
    const bool at_least = line[1] == '>';
    const int version = std::stoi(line.substr(at_least ? 5 : 4));
    holds = holds && (at_least ? minor >= version : minor < version);
    line.erase(0, line.find('}') + 1);
    line.erase(0, line.find_first_not_of(' '));
  }
  return holds;
}

}  // namespace

std::vector<Step> read_dialogue(const std::filesystem::path& file, int minor) {
  std::ifstream stream(file);
  if (!stream) throw Failure("cannot read " + file.string());
  std::vector<Step> steps;
  bool left_out = true;  // the command that the line belongs to
  bool on_err = false;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty() || line.starts_with("#")) continue;
    const bool holds = take_condition(line, minor);
    if (line.starts_with("$ ")) {
      left_out = !holds;
      on_err = false;
      if (holds) steps.push_back({.line = number, .command = line.substr(2)});
      continue;
    }
    if (left_out || !holds) continue;
    Step& step = steps.back();
    if (line.starts_with("[") && line.ends_with("]") && line.size() <= 5) {
      step.code = std::stoi(line.substr(1));
    } else if (line == kAnyLines) {
      (on_err ? step.err : step.out).push_back(line);
    } else {
      on_err = line.starts_with("! ");
      (on_err ? step.err : step.out).push_back(on_err ? line.substr(2) : line);
    }
  }
  return steps;
}

bool matches(const ExpectedLines& expected, const std::string& text) {
  return lines_match(expected, 0, lines_of(text), 0);
}

}  // namespace usbloop::e2e
