// Web pages of other origins: what a browser is told, and that it gives nobody a right.
#include <doctest/doctest.h>

#include <string>

#include "apiserver-sim/running_server.h"

using namespace usbloop::apiserver;
using namespace usbloop::apiserver::test;

namespace {

const std::string kAllowed = "Origin: https://dashboard.example\r\n";
const std::string kOther = "Origin: https://dashboard.example.evil.org\r\n";

struct CorsSite {
  TemporaryDirectory dir;
  std::unique_ptr<ApiServer> server;

  explicit CorsSite(std::vector<std::string> origins) {
    Options options = options_in(dir);
    options.cors_allowed_origins = std::move(origins);
    server = start(options);
  }

  /// The head of the answer to a request with these lines.
  std::string ask(const std::string& line, const std::string& more, bool with_token = false) {
    const auto access = access_of(dir);
    RawTls raw(access);
    raw.send(with_token ? test::head(access, line, more) : line + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n");
    return raw.read_until("\r\n\r\n");
  }
};

bool has_cors(const std::string& head) { return head.find("Access-Control-") != std::string::npos; }

const std::string kPreflight = "Access-Control-Request-Method: DELETE\r\n";

}  // namespace

TEST_CASE(
    "a preflight of an allowed origin is answered before anybody is asked who he is, and says no more than that") {
  CorsSite site({R"(^https://dashboard\.example$)"});
  const std::string answer = site.ask("OPTIONS /api/v1/nodes/secret", kAllowed + kPreflight);
  const auto audit = answer.find("Audit-Id: ");
  REQUIRE(audit != std::string::npos);
  CHECK(answer.substr(0, audit) ==
        "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Credentials: true\r\n"
        "Access-Control-Allow-Headers: Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, "
        "X-Requested-With, If-Modified-Since\r\n"
        "Access-Control-Allow-Methods: POST, GET, OPTIONS, PUT, DELETE, PATCH\r\n"
        "Access-Control-Allow-Origin: https://dashboard.example\r\nAccess-Control-Expose-Headers: Date\r\n");
  CHECK(answer.find("\r\nContent-Length:") == std::string::npos);
  // The connection goes on.
  const auto access = access_of(site.dir);
  RawTls raw(access);
  raw.send("OPTIONS / HTTP/1.1\r\nHost: x\r\n" + kAllowed + "\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(raw.read_until("\r\n\r\n").starts_with("HTTP/1.1 204 "));
  CHECK(raw.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("an allowed origin reads answers and refusals, and has no other right than its credentials") {
  CorsSite site({R"(^https://dashboard\.example$)"});
  const std::string nodes = "GET /api/v1/nodes";
  const std::string served = site.ask(nodes, kAllowed, true);
  CHECK(served.starts_with("HTTP/1.1 200 "));
  CHECK(served.find("\r\nAccess-Control-Allow-Origin: https://dashboard.example\r\n") != std::string::npos);
  const std::string watch = site.ask(nodes + "?watch=1", kAllowed, true);
  CHECK(watch.starts_with("HTTP/1.1 200 "));
  CHECK(has_cors(watch));
  for (const std::string& more : {kAllowed, kAllowed + "Cookie: session=admin\r\n"}) {
    const std::string stranger = site.ask(nodes, more);
    CHECK(stranger.starts_with("HTTP/1.1 401 "));
    CHECK(has_cors(stranger));
    CHECK(stranger.find("Set-Cookie") == std::string::npos);
  }
  CHECK(
      site.ask("GET /api/v1/nodes", kAllowed + "Impersonate-User: kubernetes-admin\r\n").starts_with("HTTP/1.1 401 "));
}

TEST_CASE("another origin, or none, is answered as without CORS") {
  CorsSite site({R"(^https://dashboard\.example$)"});
  CorsSite off({});
  for (const std::string& origin : {kOther, std::string("Origin: null\r\n"), std::string()}) {
    CAPTURE(origin);
    const std::string preflight = site.ask("OPTIONS /api/v1/nodes", origin + kPreflight);
    CHECK(preflight.starts_with("HTTP/1.1 401 "));
    CHECK_FALSE(has_cors(preflight));
    CHECK_FALSE(has_cors(site.ask("GET /version", origin)));
  }
  CHECK(off.ask("OPTIONS /api/v1/nodes", kAllowed + kPreflight).starts_with("HTTP/1.1 401 "));
  CHECK_FALSE(has_cors(off.ask("GET /version", kAllowed)));
}

TEST_CASE("the option's patterns are checked before the server starts") {
  const auto parse = [](const std::vector<const char*>& more) {
    std::vector<const char*> arguments = {"apiserver-sim", "--data-dir", "/nowhere"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return parse_options(static_cast<int>(arguments.size()), arguments.data(), "0");
  };
  const auto good = parse({"--cors-allowed-origins", "^https://a$,//b(:|$)", "--cors-allowed-origins=//c$"});
  REQUIRE(good.options);
  CHECK(good.options->cors_allowed_origins == std::vector<std::string>{"^https://a$", "//b(:|$)", "//c$"});
  for (const char* bad : {"example.com", "^https://a$,", "^https://(a$", "^a"}) {
    CAPTURE(bad);
    const auto refused = parse({"--cors-allowed-origins", bad});
    CHECK_FALSE(refused.options);
    CHECK(refused.exit_code == 2);
  }
}
