#include "kube-sim/http/watch_websocket.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace usbloop::apiserver;
using usbloop::http::Head;
using Heard = WatchFraming::Heard;

namespace {

/// A good handshake with these header lines changed; an empty value drops one.
Head handshake(const std::vector<std::pair<std::string, std::string>>& changed = {}) {
  Head head;
  head.method = "GET";
  head.headers = {{"Connection", "keep-alive, Upgrade"},
                  {"Upgrade", "WebSocket"},
                  {"Sec-WebSocket-Version", "13"},
                  {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                  {"Origin", "https://dashboard.example"}};
  for (const auto& [name, value] : changed) {
    std::erase_if(head.headers, [&](const auto& header) { return header.first == name; });
    if (!value.empty()) head.headers.emplace_back(name, value);
  }
  return head;
}

/// What the answer to the handshake says; 101 for a good one.
int answer_to(const std::string& name, const std::string& value) {
  const auto refused = refuse_watch_handshake(handshake({{name, value}}));
  return refused ? refused->code : 101;
}

Heard tell(WatchFraming& framing, std::string bytes) {
  return framing.receive(std::as_writable_bytes(std::span(bytes)));
}

/// A client's frame, masked with zeros.
std::string masked(char first, const std::string& payload) {
  return std::string{first, static_cast<char>(0x80 | static_cast<int>(payload.size()))} + std::string(4, '\0') +
         payload;
}

}  // namespace

TEST_CASE("a watch becomes a websocket when it asks for that and for nothing else") {
  CHECK(asks_for_websocket(handshake()));
  CHECK_FALSE(asks_for_websocket(handshake({{"Upgrade", ""}})));
  CHECK_FALSE(asks_for_websocket(handshake({{"Upgrade", "h2c"}})));
  CHECK_FALSE(asks_for_websocket(handshake({{"Upgrade", "websocket, h2c"}})));
  CHECK_FALSE(asks_for_websocket(handshake({{"Connection", "keep-alive"}})));
}

TEST_CASE("a handshake is refused as kube-apiserver refuses it") {
  CHECK_FALSE(refuse_watch_handshake(handshake()));
  CHECK(answer_to("Sec-WebSocket-Key", "") == 400);
  CHECK(answer_to("Sec-WebSocket-Version", "") == 400);
  CHECK(answer_to("Sec-WebSocket-Version", "8") == 400);
  CHECK(answer_to("Sec-WebSocket-Protocol", "v4.channel.k8s.io") == 101);
  CHECK(answer_to("Sec-WebSocket-Protocol", "a, b") == 400);
  for (const char* origin : {"http://localhost:3000", "https://[::1]:1", "/a", "file:", "chrome-extension://abc"}) {
    CAPTURE(origin);
    CHECK(answer_to("Origin", origin) == 101);
  }
  for (const char* origin : {"", "null", "*x", "dashboard", "http://a:b", "http://a b", "://a", "1a://b"}) {
    CAPTURE(origin);
    CHECK(answer_to("Origin", origin) == 403);
  }
  const auto version = refuse_watch_handshake(handshake({{"Sec-WebSocket-Version", "14"}}));
  REQUIRE(version);
  CHECK(version->headers == std::vector<std::pair<std::string, std::string>>{{"Sec-WebSocket-Version", "13"}});
  CHECK(version->body == "missing or bad WebSocket Version");
}

TEST_CASE("the handshake is answered with the one subprotocol that was offered") {
  const std::string plain =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  CHECK(websocket_framing(handshake())->head() == plain + "\r\n");
  CHECK(websocket_framing(handshake({{"Sec-WebSocket-Protocol", "x.y"}}))->head() ==
        plain + "Sec-WebSocket-Protocol: x.y\r\n\r\n");
}

TEST_CASE("each event is a text message of its own") {
  const auto framing = websocket_framing(handshake());
  CHECK(framing->events("{}\n{\"a\":1}\n") == "\x81\x03{}\n\x81\x08{\"a\":1}\n");
  CHECK(framing->events("{").substr(0, 2) == "\x81\x01");
  CHECK(framing->events("").empty());
  const std::string large(70'000, 'x');
  CHECK(framing->events(large + "\n").substr(0, 10) == std::string("\x81\x7f\0\0\0\0\0\x01\x11\x71", 10));
  CHECK(framing->last() == std::string("\x88\x02\x03\xe8", 4));
}

TEST_CASE("pings are answered, the latest of several, and what else the client says is ignored") {
  const auto framing = websocket_framing(handshake());
  CHECK(tell(*framing, masked('\x81', "hello") + masked('\x82', "bytes")) == Heard::nothing);
  CHECK(framing->take_answer().empty());
  const std::string pings = masked('\x89', "one") + masked('\x8a', "pong") + masked('\x89', "two");
  CHECK(tell(*framing, pings.substr(0, 7)) == Heard::nothing);  // within the first
  CHECK(tell(*framing, pings.substr(7)) == Heard::question);
  CHECK(framing->take_answer() == "\x8a\x03two");
  CHECK(framing->take_answer().empty());
}

TEST_CASE("a Close ends the watch with 1000, broken frames with 1002, and nothing follows") {
  const auto closed = websocket_framing(handshake());
  CHECK(tell(*closed, masked('\x88', "\x03\xe9")) == Heard::end);
  CHECK(closed->events("{}\n").empty());
  CHECK(closed->last() == std::string("\x88\x02\x03\xe8", 4));
  for (const std::string& broken :
       {std::string("\x81\x02hi"), masked('\x83', ""), masked('\xc1', ""), masked('\x09', "")}) {
    const auto framing = websocket_framing(handshake());
    CHECK(tell(*framing, broken) == Heard::end);
    CHECK(framing->last() == std::string("\x88\x02\x03\xea", 4));
  }
}
