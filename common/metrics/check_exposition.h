#pragma once

#include <cctype>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

// For tests: what `promtool check metrics` would say of a page.
namespace usbloop::metrics::test {

/// The samples of a page, by name and labels as written ("up{a=\"b\"}").
struct Page {
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;  ///< of each family
  std::string fault;                         ///< empty: all lines are well-formed

  /// 0 when there is no such sample.
  [[nodiscard]] double value(const std::string& sample) const {
    const auto found = samples.find(sample);
    return found == samples.end() ? 0 : found->second;
  }
  [[nodiscard]] bool has(const std::string& sample) const { return samples.count(sample) != 0; }
};

inline bool is_name(std::string_view text, bool colon) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) != 0) return false;
  for (const char c : text) {
    const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (colon && c == ':');
    if (!fits) return false;
  }
  return true;
}

/// Length of `{name="value",…}` at the start of the text, 0 when there is none, npos when it is broken.
inline std::size_t label_length(std::string_view text) {
  if (text.empty() || text[0] != '{') return 0;
  std::size_t at = 1;
  std::set<std::string> names;
  while (at < text.size() && text[at] != '}') {
    const std::size_t equals = text.find("=\"", at);
    if (equals == std::string_view::npos) return std::string_view::npos;
    const std::string name(text.substr(at, equals - at));
    if (!is_name(name, false) || !names.insert(name).second) return std::string_view::npos;
    for (at = equals + 2; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] != '\\') continue;
      ++at;
      if (at >= text.size() || std::string_view("\\n\"").find(text[at]) == std::string_view::npos) {
        return std::string_view::npos;
      }
    }
    if (++at < text.size() && text[at] == ',') ++at;
  }
  return at < text.size() ? at + 1 : std::string_view::npos;
}

/// The family that a sample of a histogram or summary belongs to, else its own name.
inline std::string family_of(const Page& page, const std::string& name) {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(suffix)) continue;
    const std::string family = name.substr(0, name.size() - suffix.size());
    const auto found = page.types.find(family);
    if (found != page.types.end() && (found->second == "histogram" || found->second == "summary")) return family;
  }
  return name;
}

inline std::string read_sample(Page& page, const std::string& line, std::set<std::string>& closed,
                               std::string& current) {
  const std::size_t name_end = line.find_first_of("{ ");
  if (name_end == std::string::npos || !is_name(line.substr(0, name_end), true)) return "a broken name";
  const std::size_t labels = label_length(std::string_view(line).substr(name_end));
  if (labels == std::string::npos) return "broken labels";
  const std::size_t space = name_end + labels;
  if (space >= line.size() || line[space] != ' ') return "no value";
  const std::string text = line.substr(space + 1);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return "a broken value";
  const std::string family = family_of(page, line.substr(0, name_end));
  if (page.types.count(family) == 0) return "a sample without TYPE";
  if (family != current) {
    if (!closed.insert(family).second) return "the samples of a family do not stand together";
    current = family;
  }
  const std::string sample = line.substr(0, space);
  if (!page.samples.emplace(sample, value).second) return "a sample twice";
  if (page.types[family] == "counter" && !family.ends_with("_total")) return "a counter whose name lacks _total";
  return {};
}

/// Reads a page; `fault` names the first line that is wrong.
inline Page read_page(const std::string& text) {
  Page page;
  std::set<std::string> helped;
  std::set<std::string> closed;
  std::string current;
  std::istringstream lines(text);
  for (std::string line; page.fault.empty() && std::getline(lines, line);) {
    std::string why;
    std::istringstream words(line);
    std::string hash;
    std::string keyword;
    std::string name;
    std::string rest;
    if (line.starts_with('#')) {
      words >> hash >> keyword >> name;
      std::getline(words >> std::ws, rest);
      if (!is_name(name, true)) why = "a broken name";
      if (keyword == "HELP" && (!helped.insert(name).second || rest.empty())) why = "HELP twice or empty";
      const bool type = keyword == "TYPE";
      if (type && !page.types.emplace(name, rest).second) why = "TYPE twice";
      if (type && rest != "counter" && rest != "gauge" && rest != "histogram" && rest != "summary") why = "no type";
      if (type && helped.count(name) == 0) why = "TYPE without HELP";
      if (keyword != "HELP" && !type) why = "neither HELP nor TYPE";
    } else {
      why = read_sample(page, line, closed, current);
    }
    if (!why.empty()) page.fault = why + ": " + line;
  }
  if (!text.empty() && text.back() != '\n') page.fault = "the last line does not end";
  return page;
}

}  // namespace usbloop::metrics::test
