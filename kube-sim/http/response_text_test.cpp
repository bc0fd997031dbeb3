#include "kube-sim/http/response_text.h"

#include <doctest/doctest.h>

using namespace usbloop::apiserver;

TEST_CASE("header lines are put in order of their names, those of one name stay in theirs, and nothing else moves") {
  std::string response =
      "HTTP/1.1 200 OK\r\nwarning: b\r\nContent-Type: x\r\nWarning: a\r\nAllow: GET\r\n\r\nz: 1\r\na: 2\r\n\r\n";
  sort_headers(response);
  CHECK(response ==
        "HTTP/1.1 200 OK\r\nAllow: GET\r\nContent-Type: x\r\nwarning: b\r\nWarning: a\r\n\r\nz: 1\r\na: 2\r\n\r\n");

  for (const std::string text : {"", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nB:"}) {
    response = text;
    sort_headers(response);
    CHECK(response == text);
  }
}
