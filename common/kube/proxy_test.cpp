#include "common/kube/proxy.h"

#include <doctest/doctest.h>

#include "common/kube/kubeconfig_test_support.h"

using namespace usbloop;
using namespace usbloop::kube;
using kube::testing::Variable;

TEST_CASE("a proxy's URL is taken apart or refused, and no password is shown") {
  auto proxy = parse_proxy_url("http://p.example.com:3128");
  REQUIRE(proxy);
  CHECK(proxy->kind == Proxy::Kind::http);
  CHECK(proxy->host == "p.example.com");
  CHECK(proxy->port == 3128);
  CHECK(parse_proxy_url("http://p/")->port == 80);
  CHECK(parse_proxy_url("p:8080")->url() == "http://p:8080");
  proxy = parse_proxy_url("socks5://me:a%40b%3a@[::1]");
  REQUIRE(proxy);
  CHECK(proxy->kind == Proxy::Kind::socks5);
  CHECK(proxy->host == "::1");
  CHECK(proxy->port == 1080);
  CHECK(proxy->username == "me");
  CHECK(proxy->password == "a@b:");
  CHECK(proxy->url() == "socks5://[::1]:1080");
  CHECK(parse_proxy_url("socks5h://[::1]:9")->port == 9);
  proxy = parse_proxy_url("https://me:secret@p");
  REQUIRE(proxy);
  CHECK(proxy->kind == Proxy::Kind::http);
  CHECK(proxy->tls);
  CHECK(proxy->port == 443);
  CHECK(proxy->url() == "https://p:443");
  CHECK(parse_proxy_url("https://p:8443")->port == 8443);
  for (const char* wrong : {"", "ftp://p", "https://p/path", "http://", "http://p:0", "http://p:x", "http://p/path",
                            "http://:secret@p", "http://u:%zzsecret@p", "http://u:%4", "http://p q"}) {
    const auto refused = parse_proxy_url(wrong);
    REQUIRE_MESSAGE(!refused, wrong);
    CHECK(refused.error().message().find("secret") == std::string::npos);
  }
}

TEST_CASE("NO_PROXY names hosts, domains, addresses, networks and ports") {
  struct Case {
    const char* list;
    const char* host;
    bool bypassed;
  };
  const Case cases[] = {
      {"*", "a.b", true},
      {"", "a.b", false},
      {"a.b", "a.b", true},
      {"a.b", "x.a.b", true},
      {"a.b", "xa.b", false},
      {".a.b", "x.a.b", true},
      {".a.b", "a.b", false},
      {" c , A.B ", "a.b", true},
      {"a.b:6443", "a.b", true},
      {"a.b:443", "a.b", false},
      {"10.0.0.0/8", "10.1.2.3", true},
      {"10.0.0.0/8", "11.1.2.3", false},
      {"10.0.0.0/99", "10.1.2.3", false},
      {"10.1.2.3/0", "99.1.2.3", true},
      {"10.1.2.128/25", "10.1.2.129", true},
      {"10.1.2.128/25", "10.1.2.127", false},
      {"10.0.0.0/", "10.1.2.3", false},
      {"10.0.0.0/8x", "10.1.2.3", false},
      {"10.0.0.0/-8", "10.1.2.3", false},
      {"/8", "10.1.2.3", false},
      {"fd00::/8", "fd12:3456::1", true},
      {"fd00::/8", "fe80::1", false},
      {"2001:db8:0:ff00::/56", "2001:db8:0:ffff::1", true},
      {"2001:db8:0:ff00::/56", "2001:db8:0:fe00::1", false},
      {"2001:db8::1/128", "2001:DB8::1", true},
      {"fd00::/129", "fd00::1", false},
      {"::/0", "10.1.2.3", false},
      {"0.0.0.0/0", "fd00::1", false},
      {"fd00::/8", "fd00.example.com", false},
      {"10.1.2.3", "10.1.2.3", true},
      {"fd00::1", "fd00::1", true},
      {",,:,", "a.b", false},
  };
  for (const auto& [list, host, bypassed] : cases) {
    CAPTURE(list);
    CAPTURE(host);
    CHECK(bypasses_proxy(list, host, 6443) == bypassed);
  }
}

TEST_CASE("the environment names a proxy for all but this machine and NO_PROXY") {
  const Variable https("HTTPS_PROXY", "http://p:1");
  const Variable http("HTTP_PROXY", "socks5://q:2");
  const Variable no("NO_PROXY", "inside.example.com");
  CHECK(proxy_of_environment(true, "h.example.com", 443)->url() == "http://p:1");
  CHECK(proxy_of_environment(false, "h.example.com", 443)->url() == "socks5://q:2");
  for (const char* host : {"localhost", "127.0.0.1", "::1", "x.inside.example.com"}) {
    CHECK_FALSE(*proxy_of_environment(true, host, 443));
  }
  const Variable broken("HTTPS_PROXY", "ftp://p");
  const auto refused = proxy_of_environment(true, "h.example.com", 443);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() ==
        "cannot use the proxy of HTTPS_PROXY: it is neither http://, https:// nor socks5://");
  const Variable unset("HTTPS_PROXY", "");
  const Variable small("https_proxy", "http://r:3");
  CHECK(proxy_of_environment(true, "h.example.com", 443)->url() == "http://r:3");
}
