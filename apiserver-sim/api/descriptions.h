#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <vector>

#include "kube-sim/resources/registry.h"
#include "kube-sim/schema/schema_set.h"

// For the tests: what the server says about its API, and whether it says it in our own words.
namespace usbloop::apiserver {

struct Description {
  std::string where;  ///< of which type, field or column
  std::string text;   ///< empty: there should be one
};

/// Those of all types and of all their fields.
std::vector<Description> descriptions_in(const SchemaSet& schemas);
/// Those of an OpenAPI document, v2 or v3: every "description", and an empty one for a definition or a property
/// without.
std::vector<Description> descriptions_in(const nlohmann::json& document);
/// Those of the columns of all tables.
std::vector<Description> descriptions_in(const Registry& registry);

/// Knows the sentences of Kubernetes and KubeVirt by the hashes of upstream_sentences.txt, which says how they are
/// made.
class UpstreamSentences {
 public:
  explicit UpstreamSentences(std::istream& lines);

  /// The hash of words that are lower-case and joined by one space.
  static std::string hash_of(const std::string& words);

  [[nodiscard]] std::size_t size() const { return hashes_.size(); }
  /// The first eight words in a row that are theirs; empty when there are none.
  [[nodiscard]] std::string taken_words(const std::string& text) const;

 private:
  std::unordered_set<std::string> hashes_;
};

/// One line for each description that is missing or upstream's; empty when all are there and our own.
std::string faults_of(const std::vector<Description>& descriptions, const UpstreamSentences& upstream);

}  // namespace usbloop::apiserver
