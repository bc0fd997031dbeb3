// Clients that say little, slowly or nothing, two hundred at a time: the server serves everybody else as if they were
// not there.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "e2e/harness/loop.h"
#include "e2e/harness/tls_socket.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;

namespace {

constexpr std::size_t kConnections = 200;
constexpr std::size_t kRequests = 300;

/// What each of the connections sends at first, and what one of them sends between two requests of the others.
struct Form {
  const char* name;
  std::string first;
  std::string then;
};

std::vector<Form> forms(const std::string& authorization) {
  const auto request = [&](const std::string& line, const std::string& more) {
    return line + " HTTP/1.1\r\nHost: x\r\n" + authorization + more + "\r\n";
  };
  const std::string post = "POST " + vmis_path();
  const std::string one = vmis_path() + "/nobody";
  std::vector<Form> all;
  for (const std::string& line : {post, "PUT " + one, "PATCH " + one, std::string("POST /healthz")}) {
    all.push_back({"no body", request(line, ""), request(line, "")});
  }
  all.push_back({"a slow head", post + " HTTP/1.1\r\nHost: x\r\n" + authorization + "X: ", "x"});
  all.push_back({"a slow body", request(post, "Content-Length: 100000\r\n") + "{", " "});
  all.push_back({"slow chunks", request(post, "Transfer-Encoding: chunked\r\n") + "1\r\n{\r\n", "1\r\n \r\n"});
  all.push_back({"a body that waits", request(post, "Expect: 100-continue\r\nContent-Length: 100\r\n"), ""});
  all.push_back({"a body that never comes", request(post, "Content-Length: 100\r\n"), ""});
  return all;
}

TlsSocket connect(const Loop& loop) { return {loop.api().host(), loop.api().port(), loop.api().ca_file()}; }

/// One GET /version on a connection of one's own, in milliseconds.
double ask(Wire& wire) {
  const auto begin = std::chrono::steady_clock::now();
  wire.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = wire.receive_through("}", 60s);
  REQUIRE_MESSAGE(answer.starts_with("HTTP/1.1 200 "), answer);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double p99(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() * 99 / 100];
}

/// A server with the slow clients, and beside it one without: whatever the machine does meanwhile meets both.
struct Pair {
  CaseDir dir;
  Loop loaded{dir, {.nodes = {}, .apiserver_log_level = "warn"}};
  Loop quiet{dir, {.nodes = {}, .apiserver_log_level = "warn", .dir = "quiet"}};

  /// Whether p99 stays below three times the other's. Up to five rounds: the machine may hiccup within one, but a
  /// client that is kept waiting is so in each.
  bool keeps_up(const std::function<void(std::size_t)>& drip) {
    constexpr double kFloorMs = 2;
    TlsSocket to_loaded = connect(loaded);
    TlsSocket to_quiet = connect(quiet);
    for (int round = 0; round < 5; ++round) {
      std::vector<double> with;
      std::vector<double> without;
      for (std::size_t i = 0; i < kRequests; ++i) {
        drip(i % kConnections);
        with.push_back(ask(to_loaded));
        without.push_back(ask(to_quiet));
      }
      MESSAGE("p99 ", p99(with), " ms beside them, ", p99(without), " ms without");
      if (p99(with) < 3 * std::max(p99(without), kFloorMs)) return true;
    }
    return false;
  }

  void run(const Form& form) {
    CAPTURE(form.name);
    std::vector<std::unique_ptr<TlsSocket>> slow;
    for (std::size_t i = 0; i < kConnections; ++i) {
      slow.push_back(std::make_unique<TlsSocket>(loaded.api().host(), loaded.api().port(), loaded.api().ca_file()));
      slow.back()->send(form.first);
    }
    // One that was refused takes no more: that is as good.
    CHECK(keeps_up([&](std::size_t i) { slow[i]->send(form.then, 10s, nullptr); }));
    CHECK(loaded.apiserver().running());
  }
};

}  // namespace

TEST_CASE("strangers who send no body or send slowly keep nobody waiting") {
  Pair servers;
  for (const Form& form : forms("")) servers.run(form);
}

TEST_CASE("a user who sends no body or sends slowly keeps nobody waiting") {
  Pair servers;
  for (const Form& form : forms("Authorization: Bearer " + servers.loaded.api().token() + "\r\n")) servers.run(form);
}

TEST_CASE("TLS handshakes that stop half-way keep nobody waiting") {
  Pair servers;
  std::vector<std::unique_ptr<PlainSocket>> half_open;
  for (std::size_t i = 0; i < kConnections; ++i) {
    half_open.push_back(
        std::make_unique<PlainSocket>(connect_tcp(servers.loaded.api().host(), servers.loaded.api().port())));
    if (i % 2 == 0) half_open.back()->send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  }
  CHECK(servers.keeps_up([](std::size_t) {}));
}
