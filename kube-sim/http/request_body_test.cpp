#include "kube-sim/http/request_body.h"

#include <doctest/doctest.h>

#include <vector>

#include "kube-sim/objects/codec.h"

using namespace usbloop::apiserver;
using State = RequestBody::State;

namespace {

struct Taken {
  State state = State::more;
  std::string content;
  std::string rest;  ///< what was left for the next request
};

/// The whole text at once, or byte by byte.
Taken take(const BodyInfo& info, const std::string& text, std::size_t step) {
  RequestBody body(info);
  Taken taken;
  for (std::size_t at = 0; taken.state == State::more && (at < text.size() || at == 0); at += step) {
    taken.rest += text.substr(at, step);
    taken.state = body.take(taken.rest);
    if (taken.state != State::more) taken.rest += text.substr(std::min(text.size(), at + step));
  }
  taken.content = body.release();
  return taken;
}

const BodyInfo kChunked{.chunked = true};

}  // namespace

TEST_CASE("without a length there is no body, and what stands behind the head is the next request") {
  const Taken taken = take({}, "GET / HTTP/1.1\r\n", 100);
  CHECK(taken.state == State::complete);
  CHECK(taken.content.empty());
  CHECK(taken.rest == "GET / HTTP/1.1\r\n");
}

TEST_CASE("a body ends after its length or its last chunk, however its bytes come") {
  for (const std::size_t step : {1UL, 2UL, 1000UL}) {
    CAPTURE(step);
    Taken taken = take({.length = 5}, "helloGET", step);
    CHECK(taken.state == State::complete);
    CHECK(taken.content == "hello");
    CHECK(taken.rest == "GET");
    taken = take(kChunked, "3\r\nhel\r\n00002;a=\"b\"\r\nlo\r\n0\r\nTrailer: x\r\n\r\nGET", step);
    CHECK(taken.state == State::complete);
    CHECK(taken.content == "hello");
    CHECK(taken.rest == "GET");
    CHECK(take(kChunked, "A\r\n0123456789\r\n0\r\n\r\n", step).content == "0123456789");
    CHECK(take(kChunked, "3 ; a\t= \"b\\\";\" ;c=d\r\nabc\r\n0;e\r\n\r\n", step).content == "abc");
    CHECK(take({.length = 6}, "hello", step).state == State::more);
    CHECK(take(kChunked, "5\r\nhello\r\n0\r\n\r", step).state == State::more);
  }
}

TEST_CASE("chunks that two readers could read in two ways are refused") {
  const std::vector<std::string> bad = {"0x3\r\nabc\r\n0\r\n\r\n",
                                        "+3\r\nabc\r\n",
                                        "-3\r\nabc\r\n",
                                        " 3\r\nabc\r\n",
                                        "3 \r\nabc\r\n",
                                        "\r\nabc\r\n",
                                        ";x\r\nabc\r\n",
                                        "3\nabc\r\n",
                                        "3\rabc\r\n",
                                        "3\r\nabc\n0\r\n\r\n",
                                        "3\r\nabcd\r\n",
                                        "3\r\nabc0\r\n",
                                        "g\r\n",
                                        "3;\n\r\nabc\r\n",
                                        std::string("3;\0\r\n", 5),
                                        "0\r\n : x\r\n\r\n",
                                        "0\r\nX: \n\r\n",
                                        "0\r\n\n",
                                        "100000000\r\n",
                                        "0\r\nX: a\rb\r\n\r\n",
                                        "0\r\nX\r\n\r\n",
                                        "0\r\nX : a\r\n\r\n",
                                        "0\r\nX: a\r\n folded\r\n\r\n",
                                        "3;\r\nabc\r\n",
                                        "3;=a\r\nabc\r\n",
                                        "3;a=\r\nabc\r\n",
                                        "3;a=\"b\r\nabc\r\n",
                                        "3;a=\"b\\\"\r\nabc\r\n",
                                        "3;a b\r\nabc\r\n",
                                        "3;a; \r\nabc\r\n"};
  for (const std::string& text : bad) {
    CAPTURE(text);
    for (const std::size_t step : {1UL, 1000UL}) CHECK(take(kChunked, text, step).state == State::malformed);
  }
}

TEST_CASE("a body is bounded by its content, by what it announces, and by the framing around it") {
  CHECK(take({.length = kMaxBodyBytes + 1}, "x", 1).state == State::too_large);
  CHECK(take(kChunked, "300001\r\n", 1).state == State::too_large);
  CHECK(take(kChunked, "1\r\nx\r\n300000\r\n", 100).state == State::too_large);
  const std::string full = "300000\r\n" + std::string(kMaxBodyBytes, 'x') + "\r\n0\r\n\r\n";
  CHECK(take(kChunked, full, 16'384).content.size() == kMaxBodyBytes);
  CHECK(take(kChunked, "1;" + std::string(kMaxBodyBytes, 'x'), 16'384).state == State::too_large);
  CHECK(take(kChunked, "0\r\nX: " + std::string(kMaxBodyBytes, 'x'), 16'384).state == State::too_large);
  std::string crumbs;
  while (crumbs.size() < 2 * kMaxBodyBytes) crumbs += "1\r\nx\r\n";
  CHECK(take(kChunked, crumbs, 16'384).state == State::too_large);
}
