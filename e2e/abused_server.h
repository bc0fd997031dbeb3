#pragma once

#include <doctest/doctest.h>

#include "e2e/harness/fake_node.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/tls_socket.h"
#include "e2e/harness/vmi.h"

// What the cases share in which somebody abuses the API server.
namespace usbloop::e2e {

/// An API server with one healthy websocket through it to a node that the harness plays.
struct AbusedServer {
  CaseDir dir;
  Loop loop{dir, {.nodes = {}}};
  FakeNode node{loop};
  std::unique_ptr<RawWebsocket> near;
  std::unique_ptr<RawWebsocket> far;
  std::size_t fds_at_rest = 0;

  AbusedServer() {
    node.add_running_vmi("demo");
    near = open();
    fds_at_rest = open_fds(loop.apiserver().pid());
  }

  TlsSocket tls() const { return {loop.api().host(), loop.api().port(), loop.api().ca_file()}; }
  PlainSocket tcp() const { return PlainSocket(connect_tcp(loop.api().host(), loop.api().port())); }

  std::unique_ptr<RawWebsocket> open() {
    auto wire = std::make_unique<TlsSocket>(loop.api().host(), loop.api().port(), loop.api().ca_file());
    wire->send(upgrade_head(usbredir_path("demo"), loop.api().token()));
    far = std::make_unique<RawWebsocket>(node.accept_websocket());
    REQUIRE(wire->receive_through("\r\n\r\n", 10s).starts_with("HTTP/1.1 101 "));
    return std::make_unique<RawWebsocket>(std::move(wire));
  }

  /// How often the server says that it refused for this cause.
  double refusals(const std::string& cause) const {
    const std::string page = loop.api().get("/metrics").body;
    const std::string sample = "usbloop_refusals_total{cause=\"" + cause + "\"} ";
    const auto at = page.find(sample);
    return at == std::string::npos ? -1 : std::stod(page.substr(at + sample.size()));
  }

  /// A request head with the administrator's token.
  std::string head(const std::string& line, const std::string& more) const {
    return line + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + loop.api().token() + "\r\n" + more + "\r\n";
  }

  /// The healthy session carries bytes both ways, requests are served, and nothing is left open.
  void check_healthy() {
    CHECK(loop.apiserver().running());
    CHECK(loop.api().get("/healthz").status == 200);
    const std::string data = random_bytes(100'000, ++seed_);
    CHECK(near->send({.payload = data}));
    CHECK(far->receive_payload(data.size(), 10s) == data);
    CHECK(far->send({.payload = data, .masked = false}));
    CHECK(near->receive_payload(data.size(), 10s) == data);
    CHECK(holds_within(10s, [&] { return open_fds(loop.apiserver().pid()) <= fds_at_rest; }));
  }

 private:
  std::uint64_t seed_ = 100;
};

/// The peer answers or not, but closes in time.
inline std::string closes(Wire& wire, milliseconds timeout = 20s) {
  std::string answer;
  CHECK_NOTHROW(answer = wire.receive_to_end(timeout));
  return answer;
}

}  // namespace usbloop::e2e
