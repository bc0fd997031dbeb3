#include "apiserver-sim/api/descriptions.h"

#include <openssl/sha.h>

#include <array>
#include <istream>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kWordsInARow = 8;
constexpr std::size_t kHexDigits = 12;

bool is_text(const json& node, const char* key) { return node.contains(key) && node[key].is_string(); }

/// What lacks a description although its place asks for one: the definitions, or the properties of one.
void demand_descriptions(const json& named, const std::string& where, std::vector<Description>& found) {
  for (const auto& [name, schema] : named.items()) {
    if (schema.is_object() && !is_text(schema, "description")) found.push_back({where + "/" + name, ""});
  }
}

void collect(const json& node, const std::string& where, std::vector<Description>& found) {
  if (node.is_object()) {
    if (is_text(node, "description")) found.push_back({where, node["description"]});
    for (const char* key : {"definitions", "schemas", "properties"}) {
      if (node.contains(key) && node[key].is_object()) demand_descriptions(node[key], where + "/" + key, found);
    }
  }
  if (!node.is_structured()) return;
  for (const auto& [key, child] : node.items()) collect(child, where + "/" + key, found);
}

/// The words of a text: letters and digits of ASCII, in lower case.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  bool within = false;
  for (const char c : text) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool part = capital || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (part && !within) words.emplace_back();
    if (part) words.back() += capital ? static_cast<char>(c - 'A' + 'a') : c;
    within = part;
  }
  return words;
}

}  // namespace

std::vector<Description> descriptions_in(const SchemaSet& schemas) {
  std::vector<Description> found;
  for (const Schema* type : schemas.types()) {
    found.push_back({type->name, type->description});
    for (const SchemaField& field : type->fields) found.push_back({type->name + "." + field.name, field.description});
  }
  return found;
}

std::vector<Description> descriptions_in(const json& document) {
  std::vector<Description> found;
  collect(document, "", found);
  return found;
}

std::vector<Description> descriptions_in(const Registry& registry) {
  std::vector<Description> found;
  for (const auto& resource : registry.all()) {
    for (const Column& column : resource->columns()) {
      found.push_back({resource->qualified() + ": " + column.name, column.description});
    }
  }
  return found;
}

UpstreamSentences::UpstreamSentences(std::istream& lines) {
  for (std::string line; std::getline(lines, line);) {
    if (line.size() == kHexDigits) hashes_.insert(line);
  }
}

std::string UpstreamSentences::hash_of(const std::string& words) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(words.data()), words.size(), hash.data());
  std::string hex;
  for (const unsigned char byte : hash) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex.substr(0, kHexDigits);
}

std::string UpstreamSentences::taken_words(const std::string& text) const {
  const std::vector<std::string> words = words_of(text);
  for (std::size_t first = 0; first + kWordsInARow <= words.size(); ++first) {
    std::string row = words[first];
    for (std::size_t next = 1; next < kWordsInARow; ++next) row += " " + words[first + next];
    if (hashes_.contains(hash_of(row))) return row;
  }
  return {};
}

std::string faults_of(const std::vector<Description>& descriptions, const UpstreamSentences& upstream) {
  std::string faults;
  for (const auto& [where, text] : descriptions) {
    if (text.empty()) faults += where + " has no description\n";
    if (const std::string taken = upstream.taken_words(text); !taken.empty()) {
      faults += where + " has upstream's words: " + taken + "\n";
    }
  }
  return faults;
}

}  // namespace usbloop::apiserver
