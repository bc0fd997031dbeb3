#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace usbloop::e2e {

/// A row of docs/errors.md. In a message and a cure, … stands for any text.
struct ErrorRow {
  std::string situation;
  std::string message;
  std::string cure;
  int status = -1;
};

/// The rows of all tables of the document, in their order. Throws Failure for a row that has not these four cells.
std::vector<ErrorRow> read_error_table(const std::filesystem::path& document);

/// Whether the text has the pattern's pieces in this order; runs of blanks and line ends count as one blank.
bool says(std::string_view text, std::string_view pattern);

}  // namespace usbloop::e2e
