// Watches as websockets, over TLS.
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "apiserver-sim/running_server.h"
#include "kube-sim/request/files.h"

using namespace usbloop::apiserver;
using namespace usbloop::apiserver::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string kNamespaces = "/api/v1/namespaces";
constexpr const char* kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr const char* kOrigin = "Origin: https://dashboard.example\r\n";

struct WatchMessage {
  int opcode = 0;
  std::string payload;
  [[nodiscard]] json event() const { return json::parse(payload); }
};

/// A watch that is a websocket.
class WatchSocket {
 public:
  WatchSocket(const usbloop::kube::ClusterAccess& access, const std::string& target, const std::string& more = {})
      : raw_(access) {
    raw_.send(test::head(access, "GET " + target, kUpgrade + std::string(kOrigin) + more));
    answer_ = raw_.read_until("\r\n\r\n");
  }

  [[nodiscard]] const std::string& answer() const { return answer_; }

  /// The next frame; nothing at the end of the stream.
  std::optional<WatchMessage> next() {
    const std::string begin = raw_.read_exactly(2);
    if (begin.size() < 2) return std::nullopt;
    std::size_t length = static_cast<unsigned char>(begin[1]);
    CHECK(length <= 127);  // not masked
    const std::size_t more = length == 127 ? 8 : (length == 126 ? 2 : 0);
    if (more > 0) length = 0;
    for (const char c : raw_.read_exactly(more)) length = length << 8 | static_cast<unsigned char>(c);
    return WatchMessage{static_cast<unsigned char>(begin[0]), raw_.read_exactly(length)};
  }

  /// The next event.
  json event() {
    const auto message = next();
    REQUIRE(message);
    REQUIRE(message->opcode == 0x81);
    CHECK(message->payload.ends_with("}\n"));
    return message->event();
  }

  /// The code of the Close frame behind which the stream ends, whatever comes before it.
  int close_code() {
    while (auto message = next()) {
      if (message->opcode != 0x88) continue;
      REQUIRE(message->payload.size() == 2);
      CHECK_FALSE(next());
      return static_cast<unsigned char>(message->payload[0]) << 8 | static_cast<unsigned char>(message->payload[1]);
    }
    return 1006;
  }

  /// Masked with zeros.
  void send(char first, const std::string& payload) {
    raw_.send(std::string{first, static_cast<char>(0x80 | static_cast<int>(payload.size()))} + std::string(4, '\0') +
              payload);
  }
  void take_little() { raw_.take_little(); }
  void send_raw(const std::string& bytes) { raw_.send(bytes); }

 private:
  RawTls raw_;
  std::string answer_;
};

json namespace_named(const std::string& name) { return {{"metadata", {{"name", name}}}}; }

void post(httplib::SSLClient& http, const json& object) {
  const auto made = http.Post(kNamespaces.c_str(), object.dump(), "application/json");
  REQUIRE(made);
  REQUIRE(made->status == 201);
}

std::string status_line(const usbloop::kube::ClusterAccess& access, const std::string& target,
                        const std::string& more) {
  RawTls raw(access);
  raw.send(test::head(access, "GET " + target, more + "Connection: close\r\n"));
  return raw.read_until("\r\n");
}

/// How many events of namespaces the server says it has sent.
double events_sent(httplib::SSLClient& http) {
  const auto page = http.Get("/metrics");
  REQUIRE(page);
  const std::string sample = "apiserver_watch_events_total{group=\"\",resource=\"namespaces\",version=\"v1\"} ";
  const auto at = page->body.find(sample);
  return at == std::string::npos ? 0 : std::stod(page->body.substr(at + sample.size()));
}

}  // namespace

TEST_CASE("a watch is a websocket when it asks for one: each event is a text message of JSON") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto http = client(dir);
  post(*http, namespace_named("one"));
  WatchSocket watch(access_of(dir), kNamespaces + "?watch=1&fieldSelector=metadata.name%3Done",
                    "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n");
  CHECK(watch.answer() ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n");
  const json added = watch.event();
  CHECK(added["type"] == "ADDED");
  CHECK(added["object"]["kind"] == "Namespace");
  CHECK(added["object"]["metadata"]["name"] == "one");
  const std::string patch = R"({"metadata":{"labels":{"a":"b"}}})";
  REQUIRE(http->Patch((kNamespaces + "/one").c_str(), patch, kMerge)->status == 200);
  const json modified = watch.event();
  CHECK(modified["type"] == "MODIFIED");
  CHECK(modified["object"]["metadata"]["labels"]["a"] == "b");
}

TEST_CASE("a watch for tables or metadata is a websocket as well, and bookmarks come") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const std::string target = kNamespaces + "?watch=1&fieldSelector=metadata.name%3Ddefault";
  WatchSocket table(access_of(dir), target, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n");
  const json row = table.event()["object"];
  CHECK(row["kind"] == "Table");
  CHECK(row["rows"][0]["cells"][0] == "default");
  WatchSocket metadata(access_of(dir),
                       target +
                           "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                           "&allowWatchBookmarks=true",
                       "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io\r\n");
  CHECK(metadata.event()["object"]["kind"] == "PartialObjectMetadata");
  const json bookmark = metadata.event();
  CHECK(bookmark["type"] == "BOOKMARK");
  CHECK(bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true");
}

TEST_CASE("a watching websocket ends with a Close frame: after its time, at the end of the server, and when told to") {
  const TemporaryDirectory dir;
  auto server = start(dir);
  const auto access = access_of(dir);
  WatchSocket timed(access, kNamespaces + "?watch=1&timeoutSeconds=1");
  CHECK(timed.close_code() == 1000);
  WatchSocket told(access, kNamespaces + "?watch=1");
  told.send('\x89', "are you there");
  std::optional<WatchMessage> pong = told.next();
  while (pong && pong->opcode == 0x81) pong = told.next();
  REQUIRE(pong);
  CHECK(pong->opcode == 0x8a);
  CHECK(pong->payload == "are you there");
  told.send('\x81', "ignored");
  told.send('\x88', "\x03\xe9");
  CHECK(told.close_code() == 1000);
  WatchSocket broken(access, kNamespaces + "?watch=1");
  broken.send_raw("\x81\x02hi");  // not masked
  CHECK(broken.close_code() == 1002);
  WatchSocket open(access, kNamespaces + "?watch=1");
  CHECK(open.event()["type"] == "ADDED");
  const auto begun = std::chrono::steady_clock::now();
  std::thread stopper([&] { server.reset(); });
  CHECK(open.close_code() == 1000);
  stopper.join();
  CHECK(std::chrono::steady_clock::now() - begun < 3s);
}

TEST_CASE("a websocket's handshake on a watch is refused as kube-apiserver does, and elsewhere it is no upgrade") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  const std::string watch = kNamespaces + "?watch=1";
  const std::string upgrade = kUpgrade;
  CHECK(status_line(access, watch, upgrade) == "HTTP/1.1 403 Forbidden\r\n");  // without Origin
  CHECK(status_line(access, watch, upgrade + "Origin: null\r\n") == "HTTP/1.1 403 Forbidden\r\n");
  CHECK(status_line(access, watch, upgrade + kOrigin + "Sec-WebSocket-Protocol: a, b\r\n") ==
        "HTTP/1.1 400 Bad Request\r\n");
  CHECK(status_line(access, watch, "Connection: Upgrade\r\nUpgrade: websocket\r\n" + std::string(kOrigin)) ==
        "HTTP/1.1 400 Bad Request\r\n");
  CHECK(status_line(access, "/api/v1/nonsense?watch=1", upgrade + kOrigin) == "HTTP/1.1 404 Not Found\r\n");
  CHECK(status_line(access, watch + "&resourceVersion=x", upgrade + kOrigin) == "HTTP/1.1 400 Bad Request\r\n");
  for (const char* other : {"/version", "/api/v1/namespaces", "/api/v1/namespaces/default", "/healthz"}) {
    CAPTURE(other);
    CHECK(status_line(access, other, upgrade + kOrigin) == "HTTP/1.1 200 OK\r\n");
  }
}

TEST_CASE("a page's token as a subprotocol opens a watch, with the rights of its user, and stands in the audit log") {
  const TemporaryDirectory dir;
  REQUIRE(write_file(dir / "more.csv", "page,alice,1,\"system:masters\"\nother,bob,2\n", 0600).has_value());
  Options options = options_in(dir);
  options.token_auth_file = dir / "more.csv";
  options.audit_log_path = dir / "audit.log";
  auto server = start(options);
  const auto ask = [&](const std::string& protocols) {
    RawTls raw(access_of(dir));
    raw.send("GET " + kNamespaces + "?watch=1 HTTP/1.1\r\nHost: x\r\n" + kUpgrade + kOrigin +
             "Sec-WebSocket-Protocol: " + protocols + "\r\n\r\n");
    return raw.read_until("\r\n\r\n");
  };
  const std::string bearer = "base64url.bearer.authorization.k8s.io.";
  const std::string accepted = ask(bearer + "cGFnZQ, base64.binary.k8s.io");
  CHECK(accepted.starts_with("HTTP/1.1 101 "));
  CHECK(accepted.find("Sec-WebSocket-Protocol: base64.binary.k8s.io\r\n") != std::string::npos);
  CHECK(ask(bearer + "b3RoZXI, x").starts_with("HTTP/1.1 403 "));
  CHECK(ask(bearer + "cGFnZQ").starts_with("HTTP/1.1 401 "));
  CHECK(ask("x").starts_with("HTTP/1.1 401 "));
  server.reset();  // writes what is still queued
  std::vector<std::string> stages;
  std::ifstream file(dir / "audit.log");
  for (std::string line; std::getline(file, line);) {
    const json event = json::parse(line);
    if (event["user"].value("username", "") != "alice") continue;
    CHECK(event["verb"] == "watch");
    stages.push_back(event["stage"].get<std::string>() + " " +
                     std::to_string(event.value("responseStatus", json::object()).value("code", 0)));
  }
  CHECK(stages == std::vector<std::string>{"RequestReceived 0", "ResponseStarted 101", "ResponseComplete 101"});
}

TEST_CASE("a websocket that does not read what it watches stops its events, and gets them all once it reads") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto http = client(dir);
  WatchSocket watch(access_of(dir), kNamespaces + "?watch=1");
  watch.take_little();
  constexpr int kObjects = 100;
  json large = namespace_named("");
  large["metadata"]["annotations"]["text"] = std::string(200'000, 'x');
  for (int i = 0; i < kObjects; ++i) {
    large["metadata"]["name"] = "large-" + std::to_string(i);
    post(*http, large);
  }
  // 20 MB: more than the two sockets hold.
  CHECK(events_sent(*http) < kObjects);
  for (int seen = 0; seen < kObjects;) {
    const json event = watch.event();
    const std::string name = event["object"]["metadata"]["name"];
    if (event["type"] != "ADDED" || !name.starts_with("large-")) continue;
    REQUIRE(name == "large-" + std::to_string(seen));
    ++seen;
  }
  CHECK(comes_true([&] { return events_sent(*http) >= kObjects; }));
}
