#include "kube-sim/http/response_text.h"

#include <doctest/doctest.h>

using namespace usbloop::apiserver;

TEST_CASE("header lines stand in the order of their names, and those of one name in theirs") {
  const Response response{200, "x", "z: 1\r\n", {{"warning", "b"}, {"Warning", "a"}, {"Allow", "GET"}}};
  CHECK(response_text(response, {}) ==
        "HTTP/1.1 200 OK\r\nAllow: GET\r\nContent-Length: 6\r\nContent-Type: x\r\nwarning: b\r\nWarning: a\r\n\r\n"
        "z: 1\r\n");
}

TEST_CASE("an answer says when it is the last, and has a body when its request wants one") {
  const Response response{200, "", "body", {}};
  CHECK(response_text(response, {.audit_id = "i", .keep_alive = false}) ==
        "HTTP/1.1 200 OK\r\nAudit-Id: i\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(response_text(response, {.only_head = true}) == "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
  CHECK(response_text({304, "", "body", {}}, {}) == "HTTP/1.1 304 Not Modified\r\n\r\n");
  CHECK(response_text({204, "", "", {}}, {}) == "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("a header's value begins no other header") {
  CHECK(response_text({200, "", "", {{"Warning", "a\r\nSet-Cookie: b"}}}, {}) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nWarning: a  Set-Cookie: b\r\n\r\n");
}

TEST_CASE("what goes with every answer to a request stands in responses and in the heads of watches") {
  const AnswerForm form{.audit_id = "i", .headers = {{"Access-Control-Allow-Origin", "https://x"}}};
  CHECK(response_text({200, "", "", {}}, form) ==
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://x\r\nAudit-Id: i\r\nContent-Length: 0\r\n\r\n");
  CHECK(chunked_head("x", form) ==
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://x\r\nAudit-Id: i\r\nContent-Type: x\r\n"
        "Cache-Control: no-cache, private\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}
