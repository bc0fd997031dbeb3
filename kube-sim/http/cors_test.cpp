#include "kube-sim/http/cors.h"

#include <doctest/doctest.h>

using namespace usbloop::apiserver;

namespace {

/// Whether a page of that origin may read answers.
bool allows(const Cors& cors, const std::string& origin) {
  usbloop::http::Head request;
  request.headers = {{"origin", origin}};
  return !cors.headers_for(request).empty();
}

}  // namespace

TEST_CASE("an origin is allowed when one of the patterns finds it, and CORS is off without one") {
  const auto cors = Cors::make({R"(^https://([a-z]+\.)?example\.com(:|$))", R"(//localhost:\d+$)"});
  REQUIRE(cors.has_value());
  for (const char* good : {"https://example.com", "https://a.example.com", "https://example.com:8443",
                           "http://localhost:3000", "https://localhost:1"}) {
    CAPTURE(good);
    CHECK(allows(*cors, good));
    CHECK_FALSE(allows(Cors(), good));
  }
  for (const char* bad : {"http://example.com", "https://example.com.evil.org", "https://exampleXcom", "null", "*", "",
                          "http://localhost", "http://localhost:3000/", "https://a.b.example.com"}) {
    CAPTURE(bad);
    CHECK_FALSE(allows(*cors, bad));
  }
  CHECK_FALSE(allows(*cors, "https://" + std::string(2000, 'a') + "//localhost:1"));
}

TEST_CASE("an allowed origin gets kube-apiserver's headers, with itself in them and no other") {
  const auto cors = Cors::make({"^https://a$"});
  REQUIRE(cors.has_value());
  usbloop::http::Head request;
  request.headers = {{"Origin", "https://a"}};
  CHECK(cors->headers_for(request) ==
        Cors::Headers{{"Access-Control-Allow-Credentials", "true"},
                      {"Access-Control-Allow-Headers",
                       "Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, "
                       "If-Modified-Since"},
                      {"Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE, PATCH"},
                      {"Access-Control-Allow-Origin", "https://a"},
                      {"Access-Control-Expose-Headers", "Date"}});
  CHECK(cors->headers_for({}).empty());
}

TEST_CASE("patterns are pinned to the host, as kube-apiserver wants them, and may not be empty or broken") {
  for (const char* good : {"^http://foo.com$", "^http://foo.com", "://foo.com$", "//foo.com$", "^http://foo.com(:|$)",
                           "://foo.com(:|$)", "//foo.com(:|$)", "(^foo.com$)"}) {
    CAPTURE(good);
    CHECK(Cors::make({"^http://a$", good}).has_value());
  }
  for (const char* bad : {"", "^foo.com", "//foo.com", "foo.com$", "foo.com(:|$)", "^http://(a$", "^http://[$"}) {
    CAPTURE(bad);
    CHECK_FALSE(Cors::make({"^http://a$", bad}).has_value());
  }
}

TEST_CASE("a list of patterns is split at its commas") {
  CHECK(split_cors_patterns("").empty());
  CHECK(split_cors_patterns("a") == std::vector<std::string>{"a"});
  CHECK(split_cors_patterns("a,b,") == std::vector<std::string>{"a", "b", ""});
}
