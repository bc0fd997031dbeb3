#include "kube-sim/rest/list_page.h"

#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"
#include "common/kube/encoding.h"
#include "kube-sim/rest/continue_token.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kMerge;
using test::kVmis;
using test::message;
using test::vmi;

namespace {

void make(Api& api, const std::string& name) { api.ok(api.call("POST", kVmis, vmi(name)), 201); }

void label(Api& api, const std::string& name, const std::string& value) {
  const json patch = {{"metadata", {{"labels", {{"x", value}}}}}};
  api.ok(api.call("PATCH", std::string(kVmis) + "/" + name, patch, kMerge));
}

/// "a b": the names in a list.
std::string names(const json& list) {
  std::string text;
  for (const json& item : list["items"]) {
    text += (text.empty() ? "" : " ") + item["metadata"]["name"].get<std::string>();
  }
  return text;
}

std::string with_token(const json& list) {
  return std::string(kVmis) + "?limit=2&continue=" + list["metadata"]["continue"].get<std::string>();
}

std::string token_of(const std::string& text) {
  std::string token = usbloop::kube::base64_encode(text);
  while (token.ends_with('=')) token.pop_back();
  return token;
}

}  // namespace

TEST_CASE("the pages of a list show the version of the first one, whatever is written between them") {
  Api api;
  for (const char* name : {"a", "b", "c", "e", "f"}) make(api, name);
  const json first = api.ok(api.call("GET", std::string(kVmis) + "?limit=2"));
  CHECK(names(first) == "a b");
  CHECK(first["metadata"]["remainingItemCount"] == 3);
  make(api, "d");                                 // between the pages: not shown
  api.call("DELETE", std::string(kVmis) + "/e");  // still shown
  label(api, "c", "new");                         // shown as it was
  make(api, "e");                                 // again, another object
  const json second = api.ok(api.call("GET", with_token(first)));
  CHECK(names(second) == "c e");
  CHECK(second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]);
  CHECK(second["metadata"]["remainingItemCount"] == 1);
  CHECK_FALSE(second["items"][0]["metadata"].contains("labels"));
  const json third = api.ok(api.call("GET", with_token(second)));
  CHECK(names(third) == "f");
  CHECK_FALSE(third["metadata"].contains("continue"));
  CHECK_FALSE(third["metadata"].contains("remainingItemCount"));
  CHECK(names(api.ok(api.call("GET", kVmis))) == "a b c d e f");
}

TEST_CASE("a selector is obeyed by each page, and then nothing is counted") {
  Api api;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) make(api, name);
  for (const char* name : {"a", "c", "f"}) label(api, name, "1");
  const json first = api.ok(api.call("GET", std::string(kVmis) + "?limit=2&labelSelector=x%3D1"));
  CHECK(names(first) == "a c");
  CHECK_FALSE(first["metadata"].contains("remainingItemCount"));
  CHECK(names(api.ok(api.call("GET", with_token(first) + "&labelSelector=x%3D1"))) == "f");
}

TEST_CASE("pages over all namespaces, as a table as well") {
  Api api;
  api.call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "other"}}}});
  make(api, "a");
  make(api, "b");
  api.call("POST", "/apis/kubevirt.io/v1/namespaces/other/virtualmachineinstances", vmi("a"));
  const std::string all = "/apis/kubevirt.io/v1/virtualmachineinstances?limit=2";
  const json first = api.ok(api.call("GET", all));
  const std::string next = all + "&continue=" + first["metadata"]["continue"].get<std::string>();
  CHECK(names(first) == "a b");
  CHECK(names(api.ok(api.call("GET", next))) == "a");
  const json table =
      api.ok(api.raw("GET", all, "", "", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"));
  CHECK(table["rows"].size() == 2);
  CHECK(table["metadata"] == first["metadata"]);
}

TEST_CASE("when the history no longer reaches back, the client is told and can go on in the present state") {
  Api api(20);
  for (const char* name : {"a", "b", "c", "d"}) make(api, name);
  const json first = api.ok(api.call("GET", std::string(kVmis) + "?limit=2"));
  for (int i = 0; i < 21; ++i) label(api, "d", std::to_string(i));
  const Response expired = api.call("GET", with_token(first));
  CHECK(expired.code == 410);
  CHECK(json::parse(expired.body)["reason"] == "Expired");
  CHECK(
      message(expired).starts_with("The provided continue parameter is too old to display a consistent list result."));
  const json rest = api.ok(api.call("GET", with_token(json::parse(expired.body))));
  CHECK(names(rest) == "c d");
  CHECK(rest["metadata"]["resourceVersion"] == std::to_string(api.store->version()));
  const std::string version = first["metadata"]["resourceVersion"];
  const Response exact = api.call("GET", std::string(kVmis) + "?resourceVersionMatch=Exact&resourceVersion=" + version);
  CHECK(exact.code == 410);
  CHECK(message(exact) == "The resourceVersion for the provided list is too old.");
}

TEST_CASE("resourceVersion and its match choose which state is shown") {
  Api api;
  make(api, "a");
  const std::string then = std::to_string(api.store->version());
  make(api, "b");
  const auto list = [&](const std::string& query) { return api.call("GET", kVmis + query); };
  CHECK(names(api.ok(list("?resourceVersion=" + then))) == "a b");  // not older than
  CHECK(names(api.ok(list("?resourceVersion=" + then + "&resourceVersionMatch=NotOlderThan&limit=1"))) == "a");
  CHECK(names(api.ok(list("?resourceVersion=" + then + "&resourceVersionMatch=Exact"))) == "a");
  CHECK(names(api.ok(list("?resourceVersion=" + then + "&limit=5"))) == "a");  // old clients mean exactly
  CHECK(names(api.ok(list("?resourceVersion=0&limit=1"))) == "a b");           // as from a cache
  const std::string future = std::to_string(api.store->version() + 7);
  for (const char* match : {"", "&resourceVersionMatch=Exact", "&resourceVersionMatch=NotOlderThan"}) {
    const Response refused = list("?resourceVersion=" + future + match);
    CHECK(refused.code == 504);
    CHECK(message(refused).starts_with("Timeout: Too large resource version: " + future + ", current: "));
  }
  CHECK(api.call("GET", std::string(kVmis) + "/a?resourceVersion=" + future).code == 504);
}

TEST_CASE("list parameters that make no sense are refused in kube-apiserver's words") {
  Api api;
  const auto refused = [&](const std::string& query, int code) {
    const Response response = api.call("GET", kVmis + query);
    CHECK(response.code == code);
    return message(response);
  };
  CHECK(refused("?resourceVersion=x", 400) ==
        "invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid "
        "syntax");
  CHECK(refused("?limit=x", 400) == "strconv.ParseInt: parsing \"x\": invalid syntax");
  CHECK(refused("?resourceVersionMatch=Exact", 422) ==
        "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden "
        "unless resourceVersion is provided");
  CHECK(refused("?resourceVersionMatch=Exact&resourceVersion=0", 422).find("is forbidden for resourceVersion \"0\"") !=
        std::string::npos);
  CHECK(refused("?resourceVersionMatch=Some&resourceVersion=1", 422).find("supported values: \"Exact\"") !=
        std::string::npos);
  CHECK(refused("?sendInitialEvents=true", 422).find("sendInitialEvents is forbidden for list") != std::string::npos);
  CHECK(refused("?continue=eHg&resourceVersion=5", 400) ==
        "specifying resource version is not allowed when using continue");
}

TEST_CASE("a hostile continue token is refused, or chooses a position and nothing else") {
  Api api;
  make(api, "a");
  const auto refused = [&](const std::string& token) {
    const Response response = api.call("GET", std::string(kVmis) + "?limit=1&continue=" + token);
    CHECK(response.code == 400);
    CHECK(message(response).starts_with("invalid continue token: continue key is not valid"));
  };
  const std::vector<std::string> texts = {"x",
                                          "[]",
                                          "7",
                                          "{}",
                                          R"({"v":"meta.k8s.io/v2","rv":1,"start":"a"})",
                                          R"({"v":"meta.k8s.io/v1"})",
                                          R"({"v":"meta.k8s.io/v1","rv":0,"start":"a"})",
                                          R"({"v":"meta.k8s.io/v1","rv":-2,"start":"a"})",
                                          R"({"v":"meta.k8s.io/v1","rv":"1","start":"a"})",
                                          R"({"v":"meta.k8s.io/v1","rv":18446744073709551615,"start":"a"})",
                                          R"({"v":"meta.k8s.io/v1","rv":1,"start":""})",
                                          R"({"v":"meta.k8s.io/v1","rv":1,"start":"../x"})",
                                          R"({"v":"meta.k8s.io/v1","rv":1,"start":"a/b"})",
                                          R"({"v":"meta.k8s.io/v1","rv":1,"start":".."})"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    refused(token_of(text));
  }
  refused("%21");
  refused(std::string(5000, 'A'));
  // Beyond the end, before the beginning, a count that lies: only what the list has anyway.
  const std::string version = std::to_string(api.store->version());
  const auto shown = [&](const std::string& start) {
    const std::string text = R"({"v":"meta.k8s.io/v1","rv":)" + version + R"(,"rest":0,"start":")" + start + "\"}";
    return names(api.ok(api.call("GET", std::string(kVmis) + "?limit=1&continue=" + token_of(text))));
  };
  CHECK(shown("zzz").empty());
  CHECK(shown("0") == "a");
  CHECK(shown("a\\u0000").empty());  // as kube-apiserver writes "behind a"
}

TEST_CASE("a token says the same after a round trip") {
  const ContinueToken token{42, {"ns", "some-name"}, 7};
  const auto same = decode_continue(encode(token, true), true, "");
  REQUIRE(same);
  CHECK(same->version == 42);
  CHECK(same->next == token.next);
  CHECK(same->rest == 7);
  const auto inside = decode_continue(encode(token, false), false, "ns");
  REQUIRE(inside);
  CHECK(inside->next == token.next);
}

TEST_CASE("deletecollection takes selectors and a limit, and answers what it deleted") {
  Api api;
  for (const char* name : {"a", "b", "c", "d"}) make(api, name);
  for (const char* name : {"a", "b", "d"}) label(api, name, "1");
  const json deleted = api.ok(api.call("DELETE", std::string(kVmis) + "?labelSelector=x%3D1&limit=2"));
  CHECK(deleted["kind"] == "VirtualMachineInstanceList");
  CHECK(names(deleted) == "a b");
  CHECK(names(api.ok(api.call("GET", kVmis))) == "c d");
  CHECK(api.call("DELETE", std::string(kVmis) + "?dryRun=All").code == 200);
  CHECK(names(api.ok(api.call("GET", kVmis))) == "c d");
  CHECK(api.call("DELETE", "/api/v1/namespaces").code == 405);
}

TEST_CASE("metadata alone, YAML and indented JSON on request") {
  Api api;
  make(api, "a");
  const std::string accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
  const json one = api.ok(api.raw("GET", std::string(kVmis) + "/a", "", "", accept));
  CHECK(one["kind"] == "PartialObjectMetadata");
  CHECK(one["metadata"]["name"] == "a");
  CHECK_FALSE(one.contains("spec"));
  const json list =
      api.ok(api.raw("GET", kVmis, "", "",
                     "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
                     "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"));
  CHECK(list["kind"] == "PartialObjectMetadataList");
  CHECK(list["apiVersion"] == "meta.k8s.io/v1");
  CHECK(list["items"][0]["kind"] == "PartialObjectMetadata");
  const Response yaml = api.raw("GET", std::string(kVmis) + "/a", "", "", "application/yaml");
  CHECK(yaml.content_type == "application/yaml");
  CHECK(yaml.body.find("name: a\n") != std::string::npos);
  CHECK(api.raw("GET", std::string(kVmis) + "/a?pretty=true").body.find("{\n  \"") == 0);
  CHECK(api.raw("GET", kVmis, "", "", "text/html").code == 406);
  const Response table =
      api.raw("GET", std::string(kVmis) + "?includeObject=All", "", "", "application/json;as=Table;v=v1;g=meta.k8s.io");
  CHECK(table.code == 400);
}
