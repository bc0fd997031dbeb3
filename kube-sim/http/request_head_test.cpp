#include "kube-sim/http/request_head.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace usbloop::apiserver;

namespace {

int code_of(const std::string& text) {
  const auto head = read_request_head(text);
  return head ? 0 : head.error().code;
}

const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n";

}  // namespace

TEST_CASE("heads that two readers could read in two ways are refused") {
  const std::vector<std::string> bad = {
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /  HTTP/1.1\r\nHost: x\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
      "GET / http/1.1\r\nHost: x\r\n\r\n",
      "GET /\r\nHost: x\r\n\r\n",
      "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
      "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length\t: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
      "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n",
      kGet + "Impersonate-User : x\r\n\r\n",
      kGet + "X: a\nContent-Length: 5\r\n\r\n",
      kGet + "X: a\rY: b\r\n\r\n",
      kGet + "X: a\r\r\n\r\n",
      kGet + "X: a\r\n folded\r\n\r\n",
      kGet + "X: a\r\n\tfolded\r\n\r\n",
      kGet + " X: a\r\n\r\n",
      kGet + ": a\r\n\r\n",
      kGet + "X\r\n\r\n",
      kGet + "X(Y): a\r\n\r\n",
      kGet + "X\xc3\xa4: a\r\n\r\n",
      kGet + std::string("X: a\0b\r\n\r\n", 10),
      kGet + std::string("X\0: a\r\n\r\n", 9),
      kGet + "X: a\x01\r\n\r\n",
      kGet + "X: a\x7f\r\n\r\n",
      kGet,
  };
  for (const std::string& text : bad) {
    CAPTURE(text);
    CHECK(code_of(text) == 400);
  }
}

TEST_CASE("what is HTTP and not served is refused by its code") {
  struct Case {
    const char* line;
    int code;
  };
  for (const Case& entry : {Case{"GET / HTTP/1.2", 505},
                            {"GET / HTTP/2.0", 505},
                            {"GET / HTTP/0.9", 505},
                            {"get / HTTP/1.1", 501},
                            {"TRACE / HTTP/1.1", 501},
                            {"CONNECT x:443 HTTP/1.1", 501}}) {
    CAPTURE(entry.line);
    CHECK(code_of(std::string(entry.line) + "\r\nHost: x\r\n\r\n") == entry.code);
  }
}

TEST_CASE("a target in absolute form is the path in it, and no other form is taken") {
  const auto target = [](const std::string& text) {
    const auto head = read_request_head("GET " + text + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return head ? head->fields.target : std::string();
  };
  CHECK(target("/a?b=c") == "/a?b=c");
  CHECK(target("http://x/a?b=c") == "/a?b=c");
  CHECK(target("HTTPS://x:443") == "/");
  CHECK(target("https://[::1]:6443?a") == "/?a");
  CHECK(target("/{a}\"|<b>^[`]?c={d}\"|<e>^[`]") == "/{a}\"|<b>^[`]?c={d}\"|<e>^[`]");
  for (const char* bad : {"", "*", "a", "x:443", "ftp://x/", "http://", "http:///a", "http://u@x/", "http://x:y/",
                          "http://[::1/", "//\xc3\xa4", "/#a", "/\\"}) {
    CAPTURE(bad);
    CHECK(target(bad).empty());
  }
}

TEST_CASE("a repeated field keeps its lines, and its first value counts where one does") {
  const auto head = read_request_head(kGet + "Accept: a\r\nX: 1\r\naccept: b\r\n\r\n");
  REQUIRE(head);
  CHECK(head->request.accept == "a");
  CHECK(head->fields.headers.size() == 4);
  CHECK(head->fields.headers[3] == std::pair<std::string, std::string>("accept", "b"));
}

TEST_CASE("heads that are right are read, and say how the connection goes on") {
  auto head = read_request_head(kGet + "X:\tgr\xc3\xbc\xc3\x9f \r\nConnection: keep-alive\r\n\r\n");
  REQUIRE(head);
  CHECK(head->keep_alive);
  CHECK_FALSE(head->body.present());
  CHECK(head->fields.header("X") == "gr\xc3\xbc\xc3\x9f");
  CHECK_FALSE(read_request_head(kGet + "Connection: close\r\n\r\n")->keep_alive);
  CHECK_FALSE(read_request_head("GET / HTTP/1.0\r\nHost: x\r\n\r\n")->keep_alive);
  head = read_request_head("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 7\r\n\r\n");
  REQUIRE(head);
  CHECK(head->waits_for_continue);
  CHECK(head->body.length == 7);
  CHECK(head->request.method == "PUT");
  CHECK_FALSE(read_request_head("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n")->waits_for_continue);
  CHECK(code_of("PUT / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n") == 417);
  CHECK(code_of("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3145729\r\n\r\n") == 413);
  CHECK(code_of("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000000\r\n\r\n") == 413);
}

TEST_CASE("bytes that can no longer become a head are known before its end") {
  for (const char* text : {"", "GET", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nX: a\tb"})
    CHECK(usbloop::http::may_become_head(text));
  for (const char* text : {"\n", "GET / HTTP/1.1\n", "a\rb", "\x16\x03\x01", "a\x7f"})
    CHECK_FALSE(usbloop::http::may_become_head(text));
}
