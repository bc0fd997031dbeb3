#include "kube-sim/schema/kind_description.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

std::vector<std::string> words_in(std::istringstream& text) {
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

std::string next_word(std::istringstream& text, const std::string& line) {
  std::string word;
  if (!(text >> word)) throw std::logic_error("resources/schemas: incomplete: @" + line);
  return word;
}

std::string rest_of(std::istringstream& text) {
  std::string rest;
  std::getline(text >> std::ws, rest);
  return rest;
}

/// "NAME TYPE[:FORMAT] [wide] FORMULA DESCRIPTION"; an underscore in NAME stands for a blank.
KindDescription::DescribedColumn read_column(std::istringstream& text, const std::string& line) {
  KindDescription::DescribedColumn described;
  Column& column = described.column;
  column.name = next_word(text, line);
  std::replace(column.name.begin(), column.name.end(), '_', ' ');
  column.type = next_word(text, line);
  if (const auto colon = column.type.find(':'); colon != std::string::npos) {
    column.format = column.type.substr(colon + 1);
    column.type.erase(colon);
  }
  described.cell = next_word(text, line);
  if (described.cell == "wide") {
    column.priority = 1;
    described.cell = next_word(text, line);
  }
  if (described.cell == "-") described.cell.clear();
  column.description = rest_of(text);
  return described;
}

}  // namespace

void read_kind_line(const std::string& line, KindDescription& description) {
  std::istringstream text(line);
  const std::string what = next_word(text, line);
  if (what == "names") {
    description.plural = next_word(text, line);
    description.short_names = words_in(text);
  } else if (what == "categories") {
    description.categories = words_in(text);
  } else if (what == "cluster") {
    description.cluster_wide = true;
  } else if (what == "old-version") {
    description.other_versions.push_back(next_word(text, line));
    description.other_versions_warning = rest_of(text);
  } else if (what == "token") {
    description.answers_token = true;
  } else if (what == "status") {
    description.has_status = true;
  } else if (what == "any-name") {
    description.path_segment_names = true;
  } else if (what == "scale") {
    const std::string replicas = next_word(text, line);
    const std::string status = next_word(text, line);
    description.scale = ScalePaths{replicas, status, rest_of(text)};
  } else if (what == "column") {
    description.columns.push_back(read_column(text, line));
  } else if (what == "select") {
    for (std::string& name : words_in(text)) description.selectable.push_back(std::move(name));
  } else if (what == "default") {
    const std::string path = next_word(text, line);
    const std::string value = rest_of(text);
    json parsed = json::parse(value, nullptr, false);
    description.defaults.push_back({path, parsed.is_discarded() ? json(value) : std::move(parsed)});
  } else {
    throw std::logic_error("resources/schemas: no such line: @" + line);
  }
}

}  // namespace usbloop::apiserver
