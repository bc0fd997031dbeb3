// Bytes from strangers on the API server's port. Each is answered or dropped by itself, while somebody else's session
// goes on and no memory, descriptor or process is lost.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include "e2e/abused_server.h"

using namespace usbloop::e2e;

TEST_CASE("bytes that are no TLS on the port") {
  AbusedServer server;
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), random_bytes(10'000, 1), std::string(1, '\x16')}) {
    CAPTURE(bytes.size());
    PlainSocket socket = server.tcp();
    socket.send(bytes);
    ::shutdown(socket.fd(), SHUT_WR);
    closes(socket);
  }
  CHECK(holds_within(10s, [&] { return server.refusals("tls") >= 3; }));
  server.check_healthy();
}

TEST_CASE("HTTP garbage on the port is refused or dropped") {
  AbusedServer server;
  const std::string authorization = "Authorization: Bearer " + server.loop.api().token() + "\r\n";
  for (const std::string& bytes :
       {random_bytes(8'000, 2) + "\r\n\r\n", std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nno colon here\r\n\r\n"), "\r\n\r\n" + std::string(100, '\0'),
        "GET /api HTTP/1.1\r\nHost: x\r\n" + authorization + "Content-Length: -5\r\n\r\n",
        "POST /api/v1/nodes HTTP/1.1\r\nHost: x\r\n" + authorization +
            "Transfer-Encoding: chunked\r\n\r\nzzzz\r\nnot hexadecimal\r\n"}) {
    CAPTURE(bytes);
    TlsSocket socket = server.tls();
    socket.send(bytes);
    socket.shutdown_write();
    const std::string answer = closes(socket);
    // 505 for a version that is none of ours (RFC 9110 section 15.6.6).
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 505 ")));
  }
  server.check_healthy();
}

TEST_CASE("a head that never ends is refused while it is small") {
  AbusedServer server;
  for (const bool in_header : {true, false}) {
    CAPTURE(in_header);
    TlsSocket socket = server.tls();
    std::size_t sent = 0;
    socket.send(in_header ? "GET / HTTP/1.1\r\nX-Long: " : "GET /", 10s, &sent);
    const std::string piece(64 * 1024, 'x');
    bool taken = true;
    for (int i = 0; taken && i < 1024; ++i) taken = socket.send(piece, 10s, &sent);
    CHECK_FALSE(taken);        // the server hung up
    CHECK(sent < 16'000'000);  // what buffers in between hold, not the 64 MiB that were on offer
  }
  CHECK(peak_resident_kib(server.loop.apiserver().pid()) < 100'000);
  server.check_healthy();
}

TEST_CASE("bodies that are too large, too short or no JSON") {
  AbusedServer server;
  const std::string post = "POST " + vmis_path() + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                           server.loop.api().token() + "\r\nContent-Type: application/json\r\nContent-Length: ";
  struct Case {
    std::string length;
    std::string body;
  };
  for (const Case& attempt : {Case{"999999999999", "{}"}, Case{"100", "{"}, Case{"5", "{{{{{"},
                              Case{"100000", std::string(100'000, '[')}, Case{"2", "[]"}, Case{"4", "null"}}) {
    CAPTURE(attempt.length);
    TlsSocket socket = server.tls();
    socket.send(post + attempt.length + "\r\nConnection: close\r\n\r\n" + attempt.body);
    socket.shutdown_write();
    const std::string answer = closes(socket);
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 4")));
  }
  CHECK(peak_resident_kib(server.loop.apiserver().pid()) < 100'000);
  server.check_healthy();
}

TEST_CASE("a hundred connections that say nothing keep nobody out") {
  AbusedServer server;
  std::vector<PlainSocket> plain;
  std::vector<std::unique_ptr<TlsSocket>> encrypted;
  for (int i = 0; i < 50; ++i) {
    plain.push_back(server.tcp());
    encrypted.push_back(
        std::make_unique<TlsSocket>(server.loop.api().host(), server.loop.api().port(), server.loop.api().ca_file()));
    encrypted.back()->send("GET /api HT");
  }
  CHECK(server.loop.api().get("/healthz").status == 200);
  plain.clear();
  encrypted.clear();
  server.check_healthy();
}

TEST_CASE("watches that nobody reads keep nobody out") {
  AbusedServer server;
  std::vector<std::unique_ptr<TlsSocket>> watches;
  for (int i = 0; i < 50; ++i) {
    watches.push_back(
        std::make_unique<TlsSocket>(server.loop.api().host(), server.loop.api().port(), server.loop.api().ca_file()));
    const bool as_websocket = i % 2 == 1;
    const std::string upgrade =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\nOrigin: "
        "/\r\n";
    watches.back()->send(server.head("GET " + vmis_path() + "?watch=true", as_websocket ? upgrade : ""));
    CHECK(watches.back()->receive_through("ADDED", 10s).starts_with(as_websocket ? "HTTP/1.1 101 " : "HTTP/1.1 200 "));
  }
  const Stopwatch watch;
  CHECK(server.loop.api().get(vmis_path()).status == 200);
  CHECK(watch.elapsed() < 15s);
  watches.clear();
  server.check_healthy();
}
