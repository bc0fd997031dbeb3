#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"
#include "kube-sim/http/watch_session.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::kMerge;
using test::kVmis;
using test::vmi;

namespace {

/// A watch on VMIs as the request `query` asks it.
struct Watch {
  WatchSpec spec;
  WatchFeed feed;
  Watch(Api& api, const std::string& query, const std::string& accept = {})
      : spec(read(api, query, accept)), feed(spec, *api.store, api.hub) {}

  static WatchSpec read(Api& api, const std::string& query, const std::string& accept) {
    const auto target = parse_target(std::string(kVmis) + "?watch=true" + query);
    REQUIRE(target);
    const Request request{"GET", target->path, target->query, "", accept, "", test::admin()};
    auto read = read_watch(api.registry, *api.store, request, read_request_info(request));
    REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().message));
    return std::move(*read);
  }

  /// "ADDED a, MODIFIED b": what is new.
  std::string news() {
    std::string text;
    for (bool more = true; more;) {
      const WatchFeed::Piece piece = feed.next();
      more = piece.more;
      for (std::size_t at = 0; at < piece.text.size();) {
        const std::size_t end = piece.text.find('\n', at);
        const json event = json::parse(piece.text.substr(at, end - at));
        at = end + 1;
        last = event["object"];
        text += (text.empty() ? "" : ", ") + event["type"].get<std::string>() + " " +
                (last.contains("metadata") ? last["metadata"].value("name", "") : "");
      }
    }
    return text;
  }
  json last;
};

}  // namespace

TEST_CASE("without a version a watch begins with all there is, and goes on") {
  Api api;
  for (const char* name : {"b", "a"}) api.call("POST", kVmis, vmi(name));
  for (const char* query : {"", "&resourceVersion=0"}) {
    CAPTURE(query);
    Watch watch(api, query);
    CHECK(watch.news() == "ADDED a, ADDED b");
    CHECK(watch.news().empty());
  }
  Watch watch(api, "&resourceVersion=0&fieldSelector=metadata.name%3Da");
  CHECK(watch.news() == "ADDED a");
  api.call("PATCH", std::string(kVmis) + "/a", {{"metadata", {{"labels", {{"x", "y"}}}}}}, kMerge);
  api.call("PATCH", std::string(kVmis) + "/b", {{"metadata", {{"labels", {{"x", "y"}}}}}}, kMerge);
  CHECK(watch.news() == "MODIFIED a");
  api.call("DELETE", std::string(kVmis) + "/a");
  CHECK(watch.news() == "DELETED a");
  CHECK(watch.last["metadata"]["labels"]["x"] == "y");  // the last state
}

TEST_CASE("with a version a watch begins behind it") {
  Api api;
  api.call("POST", kVmis, vmi("a"));
  const std::string version = std::to_string(api.store->version());
  api.call("POST", kVmis, vmi("b"));
  Watch watch(api, "&resourceVersion=" + version);
  CHECK(watch.news() == "ADDED b");
}

TEST_CASE("an object that enters or leaves a label selection is added or deleted") {
  Api api;
  Watch watch(api, "&labelSelector=on%3Dyes");
  api.call("POST", kVmis, vmi("a"));
  CHECK(watch.news().empty());
  const std::string path = std::string(kVmis) + "/a";
  api.call("PATCH", path, {{"metadata", {{"labels", {{"on", "yes"}}}}}}, kMerge);
  CHECK(watch.news() == "ADDED a");
  api.call("PATCH", path, {{"metadata", {{"labels", {{"more", "1"}}}}}}, kMerge);
  CHECK(watch.news() == "MODIFIED a");
  api.call("PATCH", path, {{"metadata", {{"labels", {{"on", nullptr}}}}}}, kMerge);
  CHECK(watch.news() == "DELETED a");
  CHECK(watch.last["metadata"]["labels"]["on"] == "yes");  // as it was when it last belonged here
  CHECK(watch.last["metadata"]["resourceVersion"] == std::to_string(api.store->version()));
}

TEST_CASE("a watch list sends what there is, then a bookmark that says so, then what happens") {
  Api api;
  api.call("POST", kVmis, vmi("a"));
  const std::string list = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  Watch watch(api, list + "&resourceVersion=" + std::to_string(api.store->version()));
  CHECK(watch.news() == "ADDED a, BOOKMARK ");
  CHECK(watch.last["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true");
  CHECK(watch.last["metadata"]["resourceVersion"] == std::to_string(api.store->version()));
  api.call("POST", kVmis, vmi("b"));
  CHECK(watch.news() == "ADDED b");
  Watch from_now(api, "&sendInitialEvents=false&resourceVersionMatch=NotOlderThan");
  CHECK(from_now.news().empty());
  api.call("POST", kVmis, vmi("c"));
  CHECK(from_now.news() == "ADDED c");
}

TEST_CASE("a watch for metadata gets no more than that, in its bookmarks as well") {
  Api api;
  api.call("POST", kVmis, vmi("a"));
  Watch watch(api, "&allowWatchBookmarks=true", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
  CHECK(watch.news() == "ADDED a");
  CHECK(watch.last["kind"] == "PartialObjectMetadata");
  CHECK_FALSE(watch.last.contains("spec"));
  api.call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "elsewhere"}}}});
  watch.news();
  CHECK(json::parse(watch.feed.bookmark())["object"]["apiVersion"] == "meta.k8s.io/v1");
}

TEST_CASE("a version that the history no longer holds ends with 410 Expired") {
  Api api;
  Watch watch(api, "&resourceVersion=1");
  const WatchFeed::Piece piece = watch.feed.next();
  CHECK(piece.ended);
  const json event = json::parse(piece.text);
  CHECK(event["type"] == "ERROR");
  CHECK(event["object"]["code"] == 410);
  CHECK(event["object"]["reason"] == "Expired");
}

TEST_CASE("bookmarks come when asked for, and only when the version has moved") {
  Api api;
  Watch silent(api, "");
  Watch watch(api, "&allowWatchBookmarks=true");
  CHECK(watch.feed.bookmark().empty());
  api.call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "elsewhere"}}}});  // no VMI
  CHECK(watch.news().empty());
  const json event = json::parse(watch.feed.bookmark());
  CHECK(event["type"] == "BOOKMARK");
  CHECK(event["object"]["kind"] == "VirtualMachineInstance");
  CHECK(event["object"]["metadata"]["resourceVersion"] == std::to_string(api.store->version()));
  CHECK(watch.feed.bookmark().empty());
  silent.news();
  CHECK(silent.feed.bookmark().empty());
}

TEST_CASE("a watch for tables sends one row an event, the columns with the first") {
  Api api;
  api.call("POST", kVmis, vmi("a"));
  Watch watch(api, "", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  watch.news();
  CHECK(watch.last["kind"] == "Table");
  CHECK(watch.last["rows"].size() == 1);
  CHECK(watch.last["columnDefinitions"].size() == 8);
  api.call("POST", kVmis, vmi("b"));
  watch.news();
  CHECK(watch.last["rows"][0]["cells"][0] == "b");
  CHECK(watch.last["columnDefinitions"].empty());
}

TEST_CASE("broken watch requests are refused") {
  Api api;
  struct Case {
    const char* query;
    int code;
  };
  for (const Case& entry :
       {Case{"resourceVersion=x", 400}, Case{"timeoutSeconds=-1", 400}, Case{"labelSelector=%3D", 400},
        Case{"fieldSelector=x", 400}, Case{"sendInitialEvents=true", 422}, Case{"resourceVersionMatch=Exact", 422},
        Case{"resourceVersionMatch=NotOlderThan", 422},
        Case{"sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=9999999999999999", 504}}) {
    CAPTURE(entry.query);
    const auto target = parse_target(std::string(kVmis) + "?watch=true&" + entry.query);
    const Request request{"GET", target->path, target->query, "", "", "", test::admin()};
    const auto read = read_watch(api.registry, *api.store, request, read_request_info(request));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == entry.code);
  }
}
