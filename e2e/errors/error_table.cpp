#include "e2e/errors/error_table.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

#include "e2e/harness/failure.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {
namespace {

constexpr std::string_view kAnything = "…";

std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char character : text) {
    const bool is_blank = std::isspace(static_cast<unsigned char>(character)) != 0;
    if (!is_blank) line += character;
    if (is_blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

/// Without the marks of code around it.
std::string cell(std::string_view text) {
  std::string line = in_one_line(text);
  if (line.size() > 1 && line.front() == '`' && line.back() == '`') line = line.substr(1, line.size() - 2);
  return line;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::string_view rest = std::string_view(line).substr(1);
  for (auto bar = rest.find('|'); bar != std::string_view::npos; bar = rest.find('|')) {
    cells.push_back(cell(rest.substr(0, bar)));
    rest.remove_prefix(bar + 1);
  }
  return cells;
}

}  // namespace

std::vector<ErrorRow> read_error_table(const std::filesystem::path& document) {
  std::vector<ErrorRow> rows;
  std::istringstream lines(read_file(document));
  std::string line;
  int head = 0;  // lines of a table's head still to come
  bool in_table = false;
  while (std::getline(lines, line)) {
    const bool is_row = line.starts_with("|");
    if (is_row && !in_table) head = 2;
    in_table = is_row;
    if (!is_row || head-- > 0) continue;
    const auto cells = cells_of(line);
    ErrorRow row;
    const bool has_all =
        cells.size() == 4 && std::none_of(cells.begin(), cells.end(), [](const auto& text) { return text.empty(); });
    if (has_all) {
      const char* const end = cells[3].data() + cells[3].size();
      row = {cells[0], cells[1], cells[2], -1};
      if (std::from_chars(cells[3].data(), end, row.status).ptr != end) row.status = -1;
    }
    if (row.status < 0) throw Failure("no row of situation, message, cure and status: " + line);
    rows.push_back(row);
  }
  return rows;
}

bool says(std::string_view text, std::string_view pattern) {
  const std::string all = in_one_line(text);
  std::size_t from = 0;
  while (true) {
    const auto gap = pattern.find(kAnything);
    const std::string piece = in_one_line(pattern.substr(0, gap));
    const auto found = all.find(piece, from);
    if (found == std::string::npos) return false;
    from = found + piece.size();
    if (gap == std::string_view::npos) return true;
    pattern.remove_prefix(gap + kAnything.size());
  }
}

}  // namespace usbloop::e2e
