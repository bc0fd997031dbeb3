#include "common/websocket/handshake.h"

#include <doctest/doctest.h>

#include "common/http/head_grammar.h"
#include "common/websocket/close_code.h"

using namespace usbloop::websocket;
using usbloop::http::Head;
using usbloop::http::parse_request_head;
using usbloop::http::parse_response_head;

namespace {

Head parsed(const std::string& text) {
  auto head = parse_request_head(text);
  REQUIRE(head.has_value());
  return head->fields;
}

const std::string kGood =
    "GET /apis/x?y=1 HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: other, plain.kubevirt.io\r\n\r\n";

std::string without(const std::string& text, const std::string& line_start) {
  const auto begin = text.find(line_start);
  return text.substr(0, begin) + text.substr(text.find("\r\n", begin) + 2);
}

}  // namespace

TEST_CASE("the accept value of RFC 6455 section 1.3") {
  CHECK(accept_for_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a request head is taken apart") {
  const Head head = parsed(kGood);
  CHECK(head.method == "GET");
  CHECK(head.target == "/apis/x?y=1");
  CHECK(head.header("host") == "h");
  CHECK(head.has_token("connection", "upgrade"));
  CHECK_FALSE(head.has_token("connection", "upgra"));
  CHECK(upgrade_refusal(head).empty());
}

TEST_CASE("the 101 carries its headers in the real server's order") {
  CHECK(upgrade_response(parsed(kGood)) ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: plain.kubevirt.io\r\n\r\n");
  const auto no_protocol = upgrade_response(parsed(without(kGood, "Sec-WebSocket-Protocol")));
  CHECK(no_protocol.find("Protocol:") == std::string::npos);
}

TEST_CASE("requests that are no upgrade are refused in gorilla's words") {
  CHECK(upgrade_refusal(parsed(without(kGood, "Connection"))).find("'upgrade' token not found") != std::string::npos);
  CHECK(upgrade_refusal(parsed(without(kGood, "Upgrade:"))).find("'websocket' token not found") != std::string::npos);
  CHECK(upgrade_refusal(parsed(without(kGood, "Sec-WebSocket-Version"))) ==
        "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header");
  CHECK(upgrade_refusal(parsed(without(kGood, "Sec-WebSocket-Key"))) ==
        "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header is missing or blank");
}

TEST_CASE("our own request passes our own check, and the answer to it too") {
  const std::string key = new_key();
  const auto request =
      parse_request_head(upgrade_request("/p", "h:1", key, "Bearer x", "ua", {{"A", "b"}, {"A", "c"}}));
  REQUIRE(request.has_value());
  CHECK(upgrade_refusal(request->fields).empty());
  CHECK(request->fields.header("Authorization") == "Bearer x");
  CHECK(request->fields.count("A") == 2);
  const auto response = parse_response_head(upgrade_response(request->fields));
  REQUIRE(response.has_value());
  CHECK(check_upgrade_response(*response, key).has_value());
  CHECK_FALSE(check_upgrade_response(*response, new_key()).has_value());
}

TEST_CASE("an answer with a subprotocol or an extension that was not asked for is refused") {
  const std::string key = new_key();
  const auto check = [&](const std::string& more) {
    const auto response = parse_response_head(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
        accept_for_key(key) + "\r\n" + more + "\r\n");
    return response && check_upgrade_response(*response, key).has_value();
  };
  CHECK(check(""));
  CHECK(check("sec-websocket-protocol: plain.kubevirt.io\r\n"));
  for (const char* wrong : {"chat", "plain.kubevirt.io, chat", "PLAIN.KUBEVIRT.IO", "plain.kubevirt.io2", ""}) {
    CAPTURE(wrong);
    CHECK_FALSE(check("Sec-WebSocket-Protocol: " + std::string(wrong) + "\r\n"));
  }
  CHECK_FALSE(check("Sec-WebSocket-Extensions: permessage-deflate\r\n"));
}

TEST_CASE("keys are not repeated") { CHECK(new_key() != new_key()); }

TEST_CASE("close codes and reasons are checked") {
  CHECK(valid_close_code(1000));
  CHECK(valid_close_code(4000));
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 5000}) {
    CHECK_FALSE(valid_close_code(static_cast<std::uint16_t>(code)));
  }
  CHECK(valid_utf8("gr\xC3\xBC\xC3\x9F"));
  CHECK_FALSE(valid_utf8("\xFF\xFE"));
}
