#include "apiserver-sim/api/descriptions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "apiserver-sim/kinds/all_kinds.h"
#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

/// What Kubernetes and KubeVirt say.
const UpstreamSentences& upstream() {
  static const UpstreamSentences kUpstream = [] {
    std::ifstream file(USBLOOP_OPENAPI_DIR "/upstream_sentences.txt");
    return UpstreamSentences(file);
  }();
  return kUpstream;
}

/// An upstream whose one description is this one, hashed here.
UpstreamSentences planted(const std::string& eight_words) {
  std::istringstream lines("# a comment\n" + UpstreamSentences::hash_of(eight_words) + "\n");
  return UpstreamSentences(lines);
}

constexpr const char* kPiano = "every good boy does fine on his piano";

/// The documents that a server hands out, v2 first.
std::vector<json> served_documents() {
  test::Api api;
  std::vector<json> documents = {api.ok(api.raw("GET", "/openapi/v2", "", "", "application/json"))};
  const json index = api.ok(api.call("GET", "/openapi/v3"));
  for (const json& entry : index["paths"]) {
    documents.push_back(api.ok(api.call("GET", entry["serverRelativeURL"].get<std::string>())));
  }
  return documents;
}

}  // namespace

TEST_CASE("the hash of eight words is the one that upstream_sentences.txt explains") {
  CHECK(UpstreamSentences::hash_of(kPiano) == "dae3d354874b");
  CHECK(upstream().size() == 18'828);
}

TEST_CASE("eight words in a row of upstream are found in whatever spelling, and seven are not") {
  const UpstreamSentences sentences = planted(kPiano);
  CHECK(sentences.size() == 1);
  CHECK(sentences.taken_words("Note: Every GOOD boy, does \"fine\" (on his piano).") == kPiano);
  CHECK(sentences.taken_words("Every good boy does fine on his-piano") == kPiano);
  CHECK(sentences.taken_words("Every good boy does fine on his").empty());
  CHECK(sentences.taken_words("Every good boy does fine on his own piano").empty());
  CHECK(sentences.taken_words("").empty());
}

TEST_CASE("a type or field without a description is found, and one with upstream's words") {
  const SchemaSet schemas({R"(
package meta meta/v1
type ObjectMeta: What every object has.
  name string Name of the object.
package one one.io/v1
kind Thing: Every good boy does fine on his piano.
  spec Spec What is wished.
type Spec:
  colour string
  size string Every good boy does
      fine on his piano, and every girl.
)"});
  CHECK(faults_of(descriptions_in(schemas), planted(kPiano)) ==
        "Spec has no description\n"
        "Spec.colour has no description\n"
        "Spec.size has upstream's words: every good boy does fine on his piano\n"
        "Thing has upstream's words: every good boy does fine on his piano\n");
}

TEST_CASE("a definition, property, parameter or column is not overlooked") {
  const json good = {{"description", "A text."}, {"type", "string"}};
  const json bad = {{"description", kPiano}, {"in", "query"}};
  const json document = {
      {"paths", {{"/a", {{"get", {{"parameters", json::array({bad})}}}}}}},
      {"components",
       {{"schemas",
         {{"A", {{"type", "object"}, {"properties", {{"good", good}, {"silent", {{"type", "string"}}}}}}}}}}}};
  CHECK(faults_of(descriptions_in(document), planted(kPiano)) ==
        "/components/schemas/A has no description\n"
        "/components/schemas/A/properties/silent has no description\n"
        "/paths//a/get/parameters/0 has upstream's words: every good boy does fine on his piano\n");
  const std::vector<Description> columns = descriptions_in(kubevirt_registry());
  const auto is_restarts = [](const Description& column) { return column.where == "pods: Restarts"; };
  CHECK(std::any_of(columns.begin(), columns.end(), is_restarts));
}

TEST_CASE("every kind, type and field is described in our own words") {
  const std::vector<Description> descriptions = descriptions_in(SchemaSet(all_schemas()));
  CHECK(descriptions.size() > 700);
  CHECK(faults_of(descriptions, upstream()) == "");
}

TEST_CASE("the documents and tables that are served are described in our own words") {
  CHECK(faults_of(descriptions_in(kubevirt_registry()), upstream()) == "");
  for (const json& document : served_documents()) {
    const std::vector<Description> descriptions = descriptions_in(document);
    CHECK(descriptions.size() > 10);
    CHECK(faults_of(descriptions, upstream()) == "");
  }
}
