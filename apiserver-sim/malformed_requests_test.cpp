// Requests that are no HTTP/1.1, or whose end two readers could see in two places.
#include "apiserver-sim/malformed_requests.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "apiserver-sim/running_server.h"

using namespace usbloop::apiserver;
using namespace usbloop::apiserver::test;

namespace {

std::size_t answers_in(const std::string& text) {
  constexpr std::string_view kStatusLine = "HTTP/1.1 ";
  std::size_t count = 0;
  for (auto at = text.find(kStatusLine); at != std::string::npos; at = text.find(kStatusLine, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("what is malformed gets one answer and ends its connection: nothing behind it is taken for a request") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  const std::string authorization = "Authorization: Bearer " + access.token + "\r\n";
  const std::string smuggled = head(access, "GET /version");
  auto rows = malformed_heads();
  for (MalformedRequest& row : malformed_bodies(authorization)) rows.push_back(std::move(row));
  CHECK(rows.size() >= 150);
  for (const MalformedRequest& row : rows) {
    CAPTURE(row.section);
    CAPTURE(row.text.substr(0, 300));
    RawTls raw(access);
    raw.send(row.text + smuggled);
    const std::string answer = raw.read_until("");
    CHECK_MESSAGE(answer.starts_with("HTTP/1.1 " + std::to_string(row.code) + " "), answer.substr(0, 300));
    CHECK(answers_in(answer) == 1);
    CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
  }
}

TEST_CASE("a body behind a request that has none is no request") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  const std::string smuggled = head(access, "GET /version");
  for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
    for (const std::string& framing : {"Content-Length: " + std::to_string(smuggled.size()) + "\r\n",
                                       std::string("Transfer-Encoding: chunked\r\n")}) {
      CAPTURE(method);
      RawTls raw(access);
      raw.send(head(access, std::string(method) + " /version", framing) + smuggled);
      CHECK(answers_in(raw.read_until("")) == 1);
    }
  }
}

TEST_CASE("what looks odd and is right is served, and the connection goes on") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  const std::string authorization = "Authorization: Bearer " + access.token + "\r\n";
  const std::string last = head(access, "GET /version", "Connection: close\r\n");
  for (const std::string& text :
       {"GET https://elsewhere:1/version HTTP/1.1\r\nHost: x\r\n" + authorization + "\r\n",
        "GET //version?a=b&&c HTTP/1.1\r\nHost:\r\n" + authorization + "\r\n",
        "GET /version?a={\"b\"|<c>}^[`] HTTP/1.1\r\nHost: x\r\n" + authorization + "\r\n",
        "GET /{a}\"|<b>^[`] HTTP/1.1\r\nHost: x\r\n" + authorization + "\r\n",
        "GET /%76ersion HTTP/1.1\r\nhOST:\t[::1]:6443 \r\n" + authorization + "\r\n",
        "GET /version HTTP/1.0\r\nConnection: keep-alive\r\n" + authorization + "\r\n",
        "POST /version HTTP/1.1\r\nHost: x\r\ntransfer-encoding:CHUNKED\r\n" + authorization +
            "\r\n003 ;a=\"b\\\"\" ; c\r\nabc\r\n0\r\nX: y\r\nContent-Length: 5\r\n\r\n",
        "POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 0003\r\n" + authorization + "\r\nabc"}) {
    CAPTURE(text);
    RawTls raw(access);
    raw.send(text + last);
    const std::string answer = raw.read_until("");
    CHECK_FALSE(answer.starts_with("HTTP/1.1 400 "));
    CHECK(answers_in(answer) == 2);
  }
}
