#include "common/http/answer.h"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <vector>

#include "common/net/test_support.h"

using namespace usbloop;
using End = http::Body::End;

namespace {

/// Gives its pieces one by one, then the end of the stream; `left` counts what was not asked for.
struct Pieces {
  std::vector<std::string> left;

  asio::awaitable<Result<std::size_t>> next(std::string& text) {
    if (left.empty()) co_return std::size_t{0};
    const std::string piece = left.front();
    left.erase(left.begin());
    text += piece;
    co_return piece.size();
  }
};

constexpr std::size_t kMost = 10;

asio::awaitable<Result<http::Body>> read_both(Pieces& pieces) {
  const http::ReadMore more = [&pieces](std::string& text) { return pieces.next(text); };
  auto answer = co_await http::read_answer(more);
  if (!answer) co_return tl::unexpected(answer.error());
  co_return co_await http::read_body(more, answer->head, answer->rest, kMost);
}

Result<http::Body> body_of(std::vector<std::string> text) {
  asio::io_context loop;
  Pieces pieces{std::move(text)};
  return net::test::run(loop, read_both(pieces));
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kChunked = kOk + "Transfer-Encoding: chunked\r\n\r\n";

void check_body(const std::vector<std::string>& text, const std::string& expected, End end = End::complete) {
  CAPTURE(text.front());
  const auto body = body_of(text);
  REQUIRE(body);
  CHECK(body->text == expected);
  CHECK(body->end == end);
}

}  // namespace

TEST_CASE("a body goes as far as its length, its last chunk or the end of the stream") {
  check_body({kOk + "Content-Length: 5\r\n\r\nhellomore"}, "hello");
  check_body({"HTTP/1.1 2", "00 OK\r\nContent-Length: 5\r\n\r", "\nhe", "llo", "more"}, "hello");
  check_body({kOk + "Content-Length: 0\r\n\r\n", "more"}, "");
  check_body({kChunked + "5\r\nhel", "lo\r", "\n0\r\n\r\nmore"}, "hello");
  check_body({kOk + "\r\nhe", "llo"}, "hello");
  check_body({"HTTP/1.1 204 No Content\r\n\r\n", "more"}, "");
  check_body({"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "more"}, "");
}

TEST_CASE("a body is cut at its bound, and one that ends early is known") {
  check_body({kOk + "Content-Length: 11\r\n\r\n0123456789a"}, "0123456789", End::too_long);
  check_body({kOk + "Content-Length: 18446744073709551615\r\n\r\n0123456789a"}, "0123456789", End::too_long);
  check_body({kOk + "Content-Length: 11\r\n\r\n01"}, "01", End::too_long);
  check_body({kOk + "\r\n0123456789"}, "0123456789");
  check_body({kOk + "\r\n0123456789", "a", "b"}, "0123456789", End::too_long);
  check_body({kChunked + "3\r\nhel\r\nffff\r\n"}, "hel", End::too_long);
  check_body({kOk + "Content-Length: 5\r\n\r\nhe"}, "he", End::lost);
  check_body({kChunked + "3\r\nhel\r\n5\r\nlo"}, "hello", End::lost);
}

TEST_CASE("an answer that does not say clearly where it ends is refused") {
  for (const std::string fields :
       {"Content-Length: +5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length:\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n"}) {
    CAPTURE(fields);
    const auto body = body_of({kOk + fields + "\r\n5\r\nhello\r\n0\r\n\r\n"});
    REQUIRE_FALSE(body);
    CHECK(body.error().kind == ErrorKind::protocol);
  }
  for (const std::string chunks : {"0x5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello", "\r\n", "5\r\nhelloXX"}) {
    CAPTURE(chunks);
    CHECK_FALSE(body_of({kChunked + chunks}));
  }
}

TEST_CASE("a head that is too long, or that never ends, is no answer") {
  std::vector<std::string> pieces = {kOk};
  for (int piece = 0; piece < 10; ++piece) pieces.push_back("X: " + std::string(1995, 'x') + "\r\n");
  CHECK(body_of(pieces).error().cause == "the head is too long");
  pieces = {kOk + "X: " + std::string(http::kMaxHeadBytes, 'x') + "\r\n\r\n"};
  CHECK(body_of(pieces).error().cause == "the head is too long");
  CHECK(body_of({kOk}).error().kind == ErrorKind::unavailable);
}
