#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace usbloop::e2e {

/// What one output stream is to hold: lines with wildcards (kubectl/README.md).
using ExpectedLines = std::vector<std::string>;

/// One command of a dialogue and what is expected of it.
struct Step {
  std::size_t line = 0;  ///< in the file
  std::string command;
  ExpectedLines out = {};
  ExpectedLines err = {};
  int code = 0;
};

/// Reads a dialogue as it holds for a kubectl 1.`minor`. Throws Failure on a line that means nothing.
std::vector<Step> read_dialogue(const std::filesystem::path& file, int minor);

/// Whether the text is what is expected.
bool matches(const ExpectedLines& expected, const std::string& text);

}  // namespace usbloop::e2e
