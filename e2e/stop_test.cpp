// The API server's orderly end: what each kind of client sees of it.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/fake_node.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/tls_socket.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;

namespace {

/// An API server with a watch and a relay that are open.
struct Busy {
  CaseDir dir;
  Loop loop;
  FakeNode node{loop};
  std::unique_ptr<TlsSocket> watch;
  std::unique_ptr<RawWebsocket> near;
  std::unique_ptr<RawWebsocket> far;

  explicit Busy(const std::string& grace_seconds)
      : loop(dir, {.nodes = {}, .apiserver_options = {"--shutdown-grace-period", grace_seconds}}) {
    node.add_running_vmi("demo");
    watch = connect();
    watch->send("GET " + vmis_path() + "?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                loop.api().token() + "\r\n\r\n");
    REQUIRE(watch->receive_through("ADDED", 10s).starts_with("HTTP/1.1 200 "));
    auto wire = connect();
    wire->send(upgrade_head(usbredir_path("demo"), loop.api().token()));
    far = std::make_unique<RawWebsocket>(node.accept_websocket());
    REQUIRE(wire->receive_through("\r\n\r\n", 10s).starts_with("HTTP/1.1 101 "));
    near = std::make_unique<RawWebsocket>(std::move(wire));
  }

  std::unique_ptr<TlsSocket> connect() {
    return std::make_unique<TlsSocket>(loop.api().host(), loop.api().port(), loop.api().ca_file());
  }
};

}  // namespace

TEST_CASE("asked to stop: watches end with their last chunk, a relay goes on, asked again: all is cut at once") {
  Busy busy("300");
  busy.loop.apiserver().signal(SIGTERM);
  // The watch may have read what came before its last chunk.
  CHECK(busy.watch->receive_to_end(20s).ends_with("0\r\n\r\n"));
  CHECK_THROWS(busy.connect());  // nobody new
  const std::string data = random_bytes(10'000, 1);
  CHECK(busy.near->send({.payload = data}));
  CHECK(busy.far->receive_payload(data.size(), 10s) == data);
  busy.loop.stop_apiserver();  // the second SIGTERM; expects exit code 0 long before the grace time is over
  CHECK_NOTHROW(busy.near->wire().receive_to_end(10s));
  CHECK_NOTHROW(busy.far->wire().receive_to_end(10s));
}

TEST_CASE("a relay that does not end in the grace time is cut") {
  Busy busy("1");
  busy.loop.stop_apiserver();
  CHECK_NOTHROW(busy.near->wire().receive_to_end(10s));
  CHECK_NOTHROW(busy.far->wire().receive_to_end(10s));
}
