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

/// "ROLE VERB[,VERB]... [/SUBRESOURCE]..."; "read" and "write" stand for several verbs.
KindDescription::Right read_right(std::istringstream& text, const std::string& line) {
  KindDescription::Right right;
  right.role = next_word(text, line);
  std::istringstream verbs(next_word(text, line));
  for (std::string verb; std::getline(verbs, verb, ',');) {
    std::istringstream several(verb == "read"    ? "get list watch"
                               : verb == "write" ? "create update patch delete deletecollection"
                                                 : verb);
    for (std::string& one : words_in(several)) right.verbs.push_back(std::move(one));
  }
  for (const std::string& word : words_in(text)) {
    if (!word.starts_with('/')) throw std::logic_error("resources/schemas: no subresource: @" + line);
    right.subresources.push_back(word.substr(1));
  }
  return right;
}

/// Lines without words behind the first.
bool read_flag(const std::string& what, KindDescription& description) {
  if (what == "cluster") return description.cluster_wide = true;
  if (what == "token") return description.answers_token = true;
  if (what == "status") return description.has_status = true;
  if (what == "approval") return description.has_approval = true;
  if (what == "any-name") return description.path_segment_names = true;
  if (what == "generation") return description.counts_generations = true;
  return false;
}

}  // namespace

void read_kind_line(const std::string& line, KindDescription& description) {
  std::istringstream text(line);
  const std::string what = next_word(text, line);
  if (read_flag(what, description)) return;
  if (what == "names") {
    description.plural = next_word(text, line);
    description.short_names = words_in(text);
  } else if (what == "categories") {
    description.categories = words_in(text);
  } else if (what == "old-version") {
    description.other_versions.push_back(next_word(text, line));
    description.other_versions_warning = rest_of(text);
  } else if (what == "no-controller") {
    description.without_controller = rest_of(text);
  } else if (what == "may") {
    description.rights.push_back(read_right(text, line));
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
