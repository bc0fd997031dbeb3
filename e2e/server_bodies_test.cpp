// Bodies and paths from strangers and from impolite users: each is refused in words, counted, and harms nobody else.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include "e2e/abused_server.h"

using namespace usbloop::e2e;

namespace {

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("TLS that breaks off in the middle of a record") {
  AbusedServer server;
  // The beginning of a ClientHello that promises 512 bytes.
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (const std::size_t length : {std::size_t{1}, std::size_t{5}, hello.size()}) {
    PlainSocket socket = server.tcp();
    socket.send(hello.substr(0, length));
  }
  CHECK(holds_within(10s, [&] { return server.refusals("tls") >= 3; }));
  server.check_healthy();
}

TEST_CASE("documents nested ten thousand deep, and bodies that are no text") {
  AbusedServer server;
  const std::string deep = repeated("{\"a\":", 10'000) + "1" + std::string(10'000, '}');
  const std::string yaml = repeated("[", 10'000) + std::string(10'000, ']');
  const std::string path = vmis_path();
  struct Case {
    const char* type;
    std::string body;
  };
  for (const Case& attempt :
       {Case{"application/json", deep}, Case{"application/yaml", yaml},
        Case{"application/json", "{\"a\":\"\xff\xfe\xc0\x80\"}"}, Case{"application/yaml", "a: \xff\xfe"},
        Case{"application/vnd.kubernetes.protobuf", deep}}) {
    CAPTURE(attempt.type);
    TlsSocket socket = server.tls();
    socket.send(server.head("POST " + path, std::string("Content-Type: ") + attempt.type + "\r\nConnection: close\r\n" +
                                                "Content-Length: " + std::to_string(attempt.body.size()) + "\r\n") +
                attempt.body);
    CHECK(closes(socket).starts_with("HTTP/1.1 4"));
  }
  server.check_healthy();
}

TEST_CASE("chunks that lie about their size, are too small or never end") {
  AbusedServer server;
  const std::string head = server.head("POST " + vmis_path(), "Transfer-Encoding: chunked\r\n");
  for (const std::string& chunks :
       {std::string("ffffffffffffffffff\r\n"), std::string("7fffffffffffffff\r\n{}\r\n"), std::string("-1\r\n{}\r\n"),
        "2;" + std::string(100'000, 'x') + "\r\n{}\r\n", repeated("1\r\n \r\n", 2'000'000)}) {
    CAPTURE(chunks.size());
    TlsSocket socket = server.tls();
    socket.send(head);
    socket.send(chunks, 20s, nullptr);
    socket.shutdown_write();
    const std::string answer = closes(socket, 60s);
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 4")));
  }
  CHECK(peak_resident_kib(server.loop.apiserver().pid()) < 200'000);
  server.check_healthy();
}

TEST_CASE("a hundred MiB, announced or not, are refused long before they have come") {
  AbusedServer server;
  for (const char* framing : {"Content-Length: 104857600\r\n", "Transfer-Encoding: chunked\r\n"}) {
    CAPTURE(framing);
    TlsSocket socket = server.tls();
    socket.send(server.head("POST " + vmis_path(), framing));
    const std::string piece = "100000\r\n" + std::string(0x100000, ' ') + "\r\n";
    std::size_t sent = 0;
    bool taken = true;
    for (int i = 0; taken && i < 100; ++i) taken = socket.send(piece, 10s, &sent);
    CHECK_FALSE(taken);
    CHECK(sent < 40'000'000);
  }
  CHECK(server.refusals("body_too_large") >= 1);
  CHECK(peak_resident_kib(server.loop.apiserver().pid()) < 200'000);
  server.check_healthy();
}

TEST_CASE("tricks with paths lead nowhere") {
  AbusedServer server;
  for (const char* path :
       {"/api/v1/namespaces/%2e%2e/%2e%2e/metrics", "/api/v1/../../metrics", "/api/v1/namespaces/%00",
        "/api/v1/nodes/a%", "/api/v1/nodes/a%zz", "//evil.example/api", "/api//v1//namespaces/..",
        "http://evil.example/metrics", "*", "/healthz/../metrics", "/%2e/metrics", "\\metrics"}) {
    CAPTURE(path);
    TlsSocket socket = server.tls();
    socket.send(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(closes(socket).starts_with("HTTP/1.1 4"));  // without a token: nothing may come of it
  }
  CHECK(server.refusals("bad_request") >= 5);
  server.check_healthy();
}

TEST_CASE("five thousand connections that say nothing cost little and keep nobody out") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  if (limit.rlim_max < 6000) {
    MESSAGE("skipped: no process here may open 6000 descriptors");
    return;
  }
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, 6000);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  AbusedServer server;
  const auto before = resident_kib(server.loop.apiserver().pid());
  std::vector<std::unique_ptr<TlsSocket>> idle;
  std::vector<PlainSocket> silent;
  constexpr std::size_t kTls = 1000;
  for (std::size_t i = 0; i < kTls; ++i) {
    idle.push_back(
        std::make_unique<TlsSocket>(server.loop.api().host(), server.loop.api().port(), server.loop.api().ca_file()));
  }
  const auto after_tls = resident_kib(server.loop.apiserver().pid());
  for (int i = 0; i < 4000; ++i) silent.push_back(server.tcp());
  const Stopwatch watch;
  CHECK(server.loop.api().get(vmis_path()).status == 200);
  CHECK(watch.elapsed() < 5s);
  CHECK(after_tls - before < kTls * 100);  // KiB each
  CHECK(resident_kib(server.loop.apiserver().pid()) < 500'000);
  silent.clear();
  idle.clear();
  server.check_healthy();
}
