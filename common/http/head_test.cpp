#include "common/http/head.h"

#include <doctest/doctest.h>

#include <string>

#include "common/http/head_grammar.h"

using namespace usbloop::http;

TEST_CASE("a request head is taken apart, and what is not HTTP is refused") {
  const auto head = parse_request_head("PUT /a?b HTTP/1.0\r\nX:\t1 \r\n\r\n");
  REQUIRE(head);
  CHECK(head->is_1_0);
  CHECK(head->fields.method == "PUT");
  CHECK(head->fields.target == "/a?b");
  CHECK(head->fields.header("x") == "1");
  for (const char* text : {"\r\n\r\n", "GARBAGE\r\n\r\n", "GET\r\n\r\n", "GET / SPDY\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
    CAPTURE(text);
    const auto refused = parse_request_head(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == 400);
  }
  CHECK(parse_request_head("GET / HTTP/2.0\r\nHost: x\r\n\r\n").error().code == 505);
  CHECK(parse_request_head("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n").error().code == 501);
}

TEST_CASE("the head of an answer is taken apart") {
  auto head = parse_response_head("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\n");
  REQUIRE(head);
  CHECK(head->status == 503);
  CHECK(head->status_text == "Service Unavailable");
  CHECK(head->header("content-type") == "text/plain");
  CHECK(parse_response_head("HTTP/1.1 599 Odd\r\n\r\n")->status == 599);
  for (const char* text : {"HTTP/1.0 200 \r\n\r\n", "HTTP/1.0 200\r\n\r\n"}) {
    head = parse_response_head(text);
    REQUIRE(head);
    CHECK(head->status == 200);
    CHECK(head->status_text.empty());
  }
}

TEST_CASE("an answer's head that is not HTTP, or that two could read in two ways, is refused") {
  const std::string good = "HTTP/1.1 200 OK\r\n";
  for (const std::string& text :
       {std::string("SSH-2.0-OpenSSH\r\n\r\n"), std::string("HTTP/1.1 1011 Big\r\n\r\n"),
        std::string("HTTP/1.1 -99 Less\r\n\r\n"), std::string("HTTP/1.1 20 Short\r\n\r\n"),
        std::string("HTTP/1.1 well OK\r\n\r\n"), std::string("HTTP/1.1 200OK\r\n\r\n"),
        std::string("HTTP/1.1  200 OK\r\n\r\n"), std::string("HTTP/1.1 099 OK\r\n\r\n"),
        std::string("HTTP/2.0 200 OK\r\n\r\n"), std::string("HTTP/1.1\r\n\r\n"), std::string("\r\n\r\n"), good,
        good + "Content-Length : 5\r\n\r\n", good + " X: folded\r\n\r\n", good + "X: a\nY: b\r\n\r\n",
        good + std::string("X: a\0b\r\n\r\n", 10), good + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
        good + "\r\nmore\r\n\r\n"}) {
    CAPTURE(text);
    const auto head = parse_response_head(text);
    REQUIRE_FALSE(head);
    CHECK(head.error().kind == usbloop::ErrorKind::protocol);
  }
}

TEST_CASE("a head ends with its empty line") {
  CHECK_FALSE(head_length("GET / HTTP/1.1\r\n").has_value());
  CHECK(head_length("a\r\n\r\nrest") == std::size_t{5});
}
