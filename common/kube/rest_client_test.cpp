// The client and the informer against a server that says what the test wants. With the real API server: e2e.
#include "common/kube/rest_client.h"

#include <doctest/doctest.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "common/kube/informer.h"

using namespace usbloop;
using namespace usbloop::kube;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// An HTTP server on a port of the kernel's choice, until the end of this object.
class Server {
 public:
  Server() {
    port_ = server_.bind_to_any_port("127.0.0.1");
    REQUIRE(port_ > 0);
  }
  ~Server() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  httplib::Server& routes() { return server_; }
  void start() {
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  [[nodiscard]] ClusterAccess access() const {
    ClusterAccess access;
    access.host = "127.0.0.1";
    access.port = static_cast<std::uint16_t>(port_);
    access.tls = false;
    access.path_prefix = "/prefix";
    return access;
  }
  [[nodiscard]] RestClient client(RestOptions options = {}) const {
    auto made = RestClient::make(access(), "test", options);
    REQUIRE(made);
    return std::move(*made);
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

void answer(httplib::Response& response, int status, const std::string& body) {
  response.status = status;
  response.set_content(body, "application/json");
}

std::string pod(const std::string& uid, int version) {
  return json{{"metadata", {{"uid", uid}, {"resourceVersion", std::to_string(version)}}}}.dump();
}

bool holds(const std::function<bool()>& condition, std::chrono::seconds limit = 20s) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(2ms);  // polls a condition with a deadline
  }
  return true;
}

}  // namespace

TEST_CASE("methods, bodies, content types and the server's prefix go out as they should") {
  std::vector<std::string> seen;
  const auto note = [&seen](const httplib::Request& request, httplib::Response& response) {
    seen.push_back(request.method + " " + request.path + " " + request.get_header_value("Content-Type") + " " +
                   request.body);
    answer(response, 200, R"({"kind":"Pod"})");
  };
  Server server;
  server.routes().Get(".*", note).Post(".*", note).Put(".*", note).Patch(".*", note).Delete(".*", note);
  server.start();
  const RestClient client = server.client();
  CHECK(client.get("/p")->at("kind") == "Pod");
  CHECK(client.create("/p", {{"a", 1}}));
  CHECK(client.update("/p", {{"a", 2}}));
  CHECK(client.patch("/p", PatchType::merge, {{"a", nullptr}}));
  CHECK(client.patch("/p", PatchType::json_patch, json::array()));
  CHECK(client.remove("/p"));
  CHECK(seen == std::vector<std::string>{"GET /prefix/p  ", "POST /prefix/p application/json {\"a\":1}",
                                         "PUT /prefix/p application/json {\"a\":2}",
                                         "PATCH /prefix/p application/merge-patch+json {\"a\":null}",
                                         "PATCH /prefix/p application/json-patch+json []", "DELETE /prefix/p  "});
}

TEST_CASE("a refusing Status becomes an error with reason, code and message") {
  std::atomic<int> code = 0;
  Server server;
  server.routes().Get(".*", [&code](const httplib::Request&, httplib::Response& response) {
    answer(response, code,
           json{{"kind", "Status"},
                {"apiVersion", "v1"},
                {"status", "Failure"},
                {"code", code.load()},
                {"reason", "Because"},
                {"message", "no"}}
               .dump());
  });
  server.start();
  const RestClient client = server.client();
  const std::vector<std::pair<int, ErrorKind>> kinds = {
      {404, ErrorKind::not_found}, {409, ErrorKind::conflict},    {410, ErrorKind::conflict},
      {401, ErrorKind::denied},    {403, ErrorKind::denied},      {422, ErrorKind::invalid},
      {400, ErrorKind::invalid},   {429, ErrorKind::unavailable}, {503, ErrorKind::unavailable}};
  for (const auto& [status, kind] : kinds) {
    CAPTURE(status);
    code = status;
    const auto refused = client.get("/p");
    CHECK(refused.error().kind == kind);
    CHECK(refused.error().cause == "Because (" + std::to_string(status) + "): no");
  }
}

TEST_CASE("an answer that is no object, or too long, is an error") {
  std::mutex mutex;
  std::string body;
  Server server;
  server.routes().Get(".*", [&](const httplib::Request&, httplib::Response& response) {
    const std::lock_guard lock(mutex);
    answer(response, 200, body);
  });
  server.start();
  RestOptions options;
  options.max_body_bytes = 1000;
  const RestClient client = server.client(options);
  for (const std::string text : {"", "[]", "null", "{", "<html>", "{\"a\":\"\xff\"}"}) {
    CAPTURE(text);
    {
      const std::lock_guard lock(mutex);
      body = text;
    }
    CHECK(client.get("/p").error().kind == ErrorKind::protocol);
  }
  {
    const std::lock_guard lock(mutex);
    body = "{\"a\":\"" + std::string(2000, 'x') + "\"}";
  }
  CHECK(client.get("/p").error().cause == "the answer is too long");
}

TEST_CASE("no server is unavailable, and a server that says nothing is given up") {
  ClusterAccess nowhere;
  {
    const Server server;
    nowhere = server.access();
  }
  CHECK(RestClient::make(nowhere, "test")->get("/p").error().kind == ErrorKind::unavailable);
  std::atomic<bool> done = false;
  Server server;
  server.routes().Get(".*", [&done](const httplib::Request&, httplib::Response&) {
    while (!done) std::this_thread::sleep_for(1ms);
  });
  server.start();
  RestOptions options;
  options.answer_timeout = 50ms;
  CHECK(server.client(options).get("/p").error().kind == ErrorKind::unavailable);
  done = true;
}

TEST_CASE("stop cuts a request and a watch at once, also one that has not begun") {
  std::atomic<int> begun = 0;
  std::atomic<bool> done = false;
  Server server;
  server.routes().Get(".*", [&](const httplib::Request&, httplib::Response& response) {
    ++begun;
    response.set_chunked_content_provider("application/json", [&done](std::size_t, httplib::DataSink& sink) {
      if (done) sink.done();
      std::this_thread::sleep_for(1ms);
      return true;
    });
  });
  server.start();
  const RestClient client = server.client();
  for (const bool watch : {true, false}) {
    CAPTURE(watch);
    std::stop_source stop;
    begun = 0;
    std::jthread stopper([&] {
      holds([&begun] { return begun > 0; });
      stop.request_stop();
    });
    const auto started = std::chrono::steady_clock::now();
    const auto kind = watch ? client
                                  .watch(
                                      "/p", "1", [](const json&) { return true; }, stop.get_token())
                                  .error()
                                  .kind
                            : client.get("/p", stop.get_token()).error().kind;
    CHECK(kind == ErrorKind::cancelled);
    CHECK(std::chrono::steady_clock::now() - started < 5s);
    CHECK(client.get("/p", stop.get_token()).error().kind == ErrorKind::cancelled);
  }
  done = true;
}

TEST_CASE("a watch hands out events and ends as the server says") {
  std::atomic<int> status = 200;
  std::mutex mutex;
  std::string body;
  std::string query;
  Server server;
  server.routes().Get(".*", [&](const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex);
    query = request.get_param_value("resourceVersion") + " " + request.get_param_value("watch") + " " +
            request.get_param_value("allowWatchBookmarks");
    answer(response, status, body);
  });
  server.start();
  const RestClient client = server.client();
  std::vector<std::string> types;
  const auto note = [&types](const json& event) {
    types.push_back(event.at("type"));
    return event.at("type") != "LAST";
  };
  const auto watch = [&](int code, const std::string& text) {
    status = code;
    {
      const std::lock_guard lock(mutex);
      body = text;
    }
    types.clear();
    return client.watch("/p", "7&x=y", note);
  };
  CHECK(*watch(200, "{\"type\":\"ADDED\",\"object\":{}}\n{\"type\":\"BOOKMARK\",\"object\":{}}\n") == WatchEnd::closed);
  CHECK(types == std::vector<std::string>{"ADDED", "BOOKMARK"});
  CHECK(query == "7&x=y true true");
  CHECK(*watch(200, "{\"type\":\"LAST\",\"object\":{}}\n{\"type\":\"ADDED\",\"object\":{}}\n") == WatchEnd::closed);
  CHECK(types == std::vector<std::string>{"LAST"});
  CHECK(*watch(200, "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n") == WatchEnd::expired);
  CHECK(*watch(410, "{}") == WatchEnd::expired);
  CHECK(watch(403, "{}").error().kind == ErrorKind::denied);
  CHECK(watch(200, "garbage\n").error().kind == ErrorKind::protocol);
}

TEST_CASE("the informer's copy follows the server through breaks, expired versions and a new list") {
  std::atomic<int> lists = 0;
  std::atomic<int> watches = 0;
  std::atomic<bool> done = false;
  Server server;
  server.routes().Get(".*", [&](const httplib::Request& request, httplib::Response& response) {
    if (!request.has_param("watch")) {
      // First a and b; the second time b has gone and c is there; once in between there is no answer.
      const int number = ++lists;
      if (number == 2) return answer(response, 503, "{}");
      const std::string items = number == 1 ? pod("a", 1) + "," + pod("b", 2) : pod("a", 8) + "," + pod("c", 9);
      return answer(
          response, 200,
          R"({"metadata":{"resourceVersion":")" + std::to_string(number * 10) + R"("},"items":[)" + items + "]}");
    }
    const int number = ++watches;
    if (number == 1) {
      const std::string events =
          R"({"type":"MODIFIED","object":)" + pod("a", 11) + "}\n" + R"({"type":"ERROR","object":{"code":410}})" + "\n";
      return answer(response, 200, events);
    }
    response.set_chunked_content_provider("application/json", [&, number](std::size_t, httplib::DataSink& sink) {
      if (number == 2) {
        const std::string event = R"({"type":"DELETED","object":)" + pod("c", 31) + "}\n";
        sink.write(event.data(), event.size());
        sink.done();
      } else if (done) {
        sink.done();
      }
      std::this_thread::sleep_for(1ms);
      return true;
    });
  });
  server.start();
  const RestClient client = server.client();
  std::mutex mutex;
  std::set<std::string> changed;
  std::vector<bool> reachable;
  Informer informer(client, "/pods",
                    {[&](const std::string& uid) {
                       const std::lock_guard lock(mutex);
                       changed.insert(uid);
                     },
                     [&](const Error* error) {
                       const std::lock_guard lock(mutex);
                       reachable.push_back(error == nullptr);
                     }});
  CHECK_FALSE(informer.synced());
  {
    std::jthread runner([&informer](const std::stop_token& stop) { informer.run(stop); });
    CHECK(informer.wait_synced({}));
    CHECK(holds([&] { return watches >= 3; }));
    CHECK(informer.uids() == std::vector<std::string>{"a"});
    CHECK(informer.get("a")->at("metadata").at("resourceVersion") == "8");
    // An answer to a change of ours counts when it is newer, and never brings back what has gone.
    informer.observe(json::parse(pod("a", 7)));
    CHECK(informer.get("a")->at("metadata").at("resourceVersion") == "8");
    informer.observe(json::parse(pod("a", 40)));
    CHECK(informer.get("a")->at("metadata").at("resourceVersion") == "40");
    informer.observe(json::parse(pod("c", 50)));
    CHECK(informer.get("c") == nullptr);
  }
  done = true;
  const std::lock_guard lock(mutex);
  CHECK(changed == std::set<std::string>{"a", "b", "c"});
  CHECK(reachable == std::vector<bool>{true, false, true});
}

TEST_CASE("a client that cannot go through a proxy says so instead of going past it") {
  ClusterAccess access;
  access.host = "h";
  access.tls = false;
  access.proxy = {Proxy::Kind::http, "p", 3128, "me", "secret"};
  const auto client = RestClient::make(access, "test");
  REQUIRE_FALSE(client);
  CHECK(client.error().message() == "cannot use the proxy http://p:3128: this program goes to its API server directly");
}
